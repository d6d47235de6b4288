import Formats
import Foundation
import Testing
import _TestSupport

@Suite struct AtomicFolderTests {
    @Test func appearsWhole() throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { url in
            #expect(!FileManager.default.fileExists(atPath: folder["model"].path))
            try fill(url, "1")
        }
        #expect(folder.names == ["model"])
        #expect(TemporaryFolder.names(in: folder["model"]) == ["inner", "weights"])
    }

    @Test func aFolderIsMadeWithThoseThatItLiesIn() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<2 { try Folder.make(folder["a/b"]) }
        #expect(TemporaryFolder.names(in: folder["a"]) == ["b"])
        try AtomicFile.write("", to: folder["file"])
        let error = #expect(throws: FileError.self) { try Folder.make(folder["file/c"]) }
        #expect(error?.description.hasPrefix("cannot create ") == true)
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
        try LeftOvers.remove(in: folder.url)
        #expect(folder.names == ["model"])
    }

    /// Killed between the two renames of a replacement, the old folder has a hidden name and gets its own back.
    @Test func aFolderThatWasMovedAsideComesBack() throws {
        let folder = try TemporaryFolder()
        try AtomicFolder.write(to: folder["model"]) { try fill($0, "old") }
        try FileManager.default.moveItem(at: folder["model"], to: folder[".model.replaced-1-0"])
        try FileManager.default.createDirectory(at: folder[".model.partial-1-0"], withIntermediateDirectories: false)
        try LeftOvers.remove(in: folder.url)
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
        try LeftOvers.remove(in: folder.url)
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
        try LeftOvers.remove(in: folder.url)
        #expect(folder.names == ["model"])
        #expect(text(of: folder["model/weights"]) == text(of: folder["model/inner/state"]))
    }
}

/// Two files with the same content, one of them deeper.
private func fill(_ url: URL, _ content: String) throws {
    try FileManager.default.createDirectory(
        at: url.appendingPathComponent("inner"), withIntermediateDirectories: false)
    try Data(content.utf8).write(to: url.appendingPathComponent("weights"))
    try Data(content.utf8).write(to: url.appendingPathComponent("inner/state"))
}
