import Formats
import Foundation
import Runs
import Testing
import _TestSupport

@Suite struct FolderChecksumsTests {
    @Test func foldersAppearWithThem() throws {
        let folder = try TemporaryFolder()
        try FolderChecksums.writeFolder(folder["model"]) { try fill($0, "1") }
        #expect(folder.names == ["model"])
        #expect(TemporaryFolder.names(in: folder["model"]) == ["checksums.json", "inner", "weights"])
        try FolderChecksums.verify(folder["model"])
    }

    @Test func refusesLinks() throws {
        let folder = try TemporaryFolder()
        #expect(throws: FileError.self) {
            try FolderChecksums.writeFolder(folder["model"]) { url in
                try FileManager.default.createSymbolicLink(
                    at: url.appendingPathComponent("link"), withDestinationURL: folder.url)
            }
        }
        #expect(folder.names == [])
    }

    @Test func namesWhatDiffers() throws {
        let folder = try TemporaryFolder()
        func write() throws { try FolderChecksums.writeFolder(folder["model"]) { try fill($0, "123456789") } }
        func expectDamage(_ problem: String, sourceLocation: SourceLocation = #_sourceLocation) {
            let error = #expect(throws: FileError.self, sourceLocation: sourceLocation) {
                try FolderChecksums.verify(folder["model"])
            }
            #expect("\(error as Any)".contains(problem), sourceLocation: sourceLocation)
        }
        try write()
        try Data("123456780".utf8).write(to: folder["model/weights"])
        expectDamage("weights has checksum")
        expectDamage("expected 995dc9bbdf1939fa")
        try write()
        try Data("12345678".utf8).write(to: folder["model/inner/state"])
        expectDamage("inner/state has 8 bytes, expected 9")
        try write()
        try FileManager.default.removeItem(at: folder["model/weights"])
        expectDamage("weights is missing")
        try write()
        try Data("{".utf8).write(to: folder["model/checksums.json"])
        expectDamage("checksums.json is not valid")
        try write()
        try Data("x".utf8).write(to: folder["model/notes"])
        try FolderChecksums.verify(folder["model"])
    }

    @Test(arguments: ["../secret", "/etc/passwd", "a/../../secret"])
    func refusesNamesOutsideTheFolder(name: String) throws {
        let folder = try TemporaryFolder()
        let list = #"{"files":{"\#(name)":{"bytes":1,"crc64":"0000000000000000"}}}"#
        try Data(list.utf8).write(to: folder["checksums.json"])
        let error = #expect(throws: FileError.self) { try FolderChecksums.verify(folder.url) }
        #expect("\(error as Any)".contains("outside the folder"))
    }
}

/// Two files with the same content, one of them deeper.
private func fill(_ url: URL, _ content: String) throws {
    try FileManager.default.createDirectory(
        at: url.appendingPathComponent("inner"), withIntermediateDirectories: false)
    try Data(content.utf8).write(to: url.appendingPathComponent("weights"))
    try Data(content.utf8).write(to: url.appendingPathComponent("inner/state"))
}
