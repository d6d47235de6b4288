import Foundation
import Runs
import Testing

@Suite struct AtomicFolderTests {
    @Test func appearsWholeWithItsChecksums() throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { url in
            #expect(!FileManager.default.fileExists(atPath: folder["model"].path))
            try fill(url, "1")
        }
        #expect(folder.names == ["model"])
        #expect(TemporaryFolder.names(in: folder["model"]) == ["checksums.json", "inner", "weights"])
        try FolderChecksums.verify(folder["model"])
    }

    @Test func leavesNothingWhenItsContentsFail() throws {
        struct Failure: Error {}
        let folder = try TemporaryFolder()
        #expect(throws: Failure.self) {
            try AtomicFolder.write(to: folder["model"]) { url in
                try fill(url, "1")
                throw Failure()
            }
        }
        #expect(folder.names == [])
    }

    @Test func replacesAFolder() throws {
        let folder = try TemporaryFolder()
        for content in ["1", "2"] { try AtomicFolder.write(to: folder["model"]) { try fill($0, content) } }
        #expect(text(of: folder["model/weights"]) == "2")
        #expect(folder.names == ["model"])
    }

    @Test func removesAFolder() throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { try fill($0, "1") }
        try AtomicFolder.remove(folder["model"])
        try AtomicFolder.remove(folder["model"])
        #expect(folder.names == [])
    }

    @Test func refusesLinks() throws {
        let folder = try TemporaryFolder()
        #expect(throws: FileError.self) {
            try AtomicFolder.write(to: folder["model"]) { url in
                try FileManager.default.createSymbolicLink(
                    at: url.appendingPathComponent("link"), withDestinationURL: folder.url)
            }
        }
        #expect(folder.names == [])
    }

    @Test func aKillWhileWritingLeavesTheOldFolder() async throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { try fill($0, "old") }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder["model"].path as String] in
            try AtomicFolder.write(to: URL(fileURLWithPath: path)) { url in
                try fill(url, "new")
                kill(getpid(), SIGKILL)
            }
        }
        #expect(text(of: folder["model/weights"]) == "old")
        #expect(folder.names.count == 2)
        try AtomicFolder.removeLeftOvers(in: folder.url)
        #expect(folder.names == ["model"])
        try FolderChecksums.verify(folder["model"])
    }

    /// Killed between the two renames of a replacement, the old folder has a hidden name and gets its own back.
    @Test func aFolderThatWasMovedAsideComesBack() throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { try fill($0, "old") }
        try FileManager.default.moveItem(at: folder["model"], to: folder[".model.replaced-1-0"])
        try FileManager.default.createDirectory(at: folder[".model.partial-1-0"], withIntermediateDirectories: false)
        try AtomicFolder.removeLeftOvers(in: folder.url)
        #expect(folder.names == ["model"])
        #expect(text(of: folder["model/weights"]) == "old")
    }

    /// Only names of our own making are left-overs, and never those of a living writer.
    @Test func leavesTheFilesOfOthers() throws {
        let folder = try TemporaryFolder()
        let writer = try AtomicFile(folder["a"])
        try writer.write("a")
        let others = [".a.partial", ".a.partial-1", ".a.partial-x-0", "a.partial-1-0", ".hidden", "b"]
        for name in others { try Data("x".utf8).write(to: folder[name]) }
        try AtomicFolder.removeLeftOvers(in: folder.url)
        #expect(folder.names.count == others.count + 1)
        try writer.commit()
        #expect(text(of: folder["a"]) == "a")
    }

    /// A process that replaces a folder without end is killed at several moments: what is there is always whole.
    @Test(arguments: [5, 23, 41, 67, 89])
    func isWholeAfterAKill(milliseconds: UInt32) async throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { try fill($0, "0") }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder["model"].path as String, milliseconds] in
            Thread.detachNewThread {
                usleep(milliseconds * 1000)
                kill(getpid(), SIGKILL)
            }
            for number in 1... {
                try AtomicFolder.write(to: URL(fileURLWithPath: path)) { try fill($0, "\(number)") }
            }
        }
        try AtomicFolder.removeLeftOvers(in: folder.url)
        #expect(folder.names == ["model"])
        try FolderChecksums.verify(folder["model"])
        #expect(text(of: folder["model/weights"]) == text(of: folder["model/inner/state"]))
    }
}

@Suite struct FolderChecksumsTests {
    @Test func namesWhatDiffers() throws {
        let folder = try TemporaryFolder()
        func write() throws { try AtomicFolder.write(to: folder["model"]) { try fill($0, "123456789") } }
        func expectDamage(_ problem: String, sourceLocation: SourceLocation = #_sourceLocation) {
            let error = #expect(throws: FileError.self, sourceLocation: sourceLocation) {
                try FolderChecksums.verify(folder["model"])
            }
            #expect("\(error as Any)".contains(problem), sourceLocation: sourceLocation)
        }
        try write()
        try Data("123456780".utf8).write(to: folder["model/weights"])
        expectDamage("weights has checksum")
        expectDamage("995dc9bbdf1939fa was written")
        try write()
        try Data("12345678".utf8).write(to: folder["model/inner/state"])
        expectDamage("inner/state has 8 bytes; 9 were written")
        try write()
        try FileManager.default.removeItem(at: folder["model/weights"])
        expectDamage("weights is missing")
        try write()
        try Data("{".utf8).write(to: folder["model/checksums.json"])
        expectDamage("checksums.json is missing or unreadable")
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
