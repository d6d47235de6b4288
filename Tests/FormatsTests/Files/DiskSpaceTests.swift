import Formats
import Foundation
import Testing
import _TestSupport

/// The free space of disks, and writers that check it before they begin.
@Suite struct DiskSpaceTests {
    @Test func aPathThatDoesNotExistIsOnTheDiskOfItsParent() throws {
        let folder = try TemporaryFolder()
        let free = try #require(DiskSpace.free(at: folder["."]))
        #expect(free > 0)
        let below = try #require(DiskSpace.free(at: folder["a/b/c"]))
        // other programs write to the same disk meanwhile
        #expect(abs(below - free) < max(1 << 30, free / 2))
    }

    @Test func tooLargeAFileIsRefused() throws {
        let folder = try TemporaryFolder()
        try DiskSpace.check(0, at: folder["a"])
        #expect {
            try DiskSpace.check(.max, at: folder["a"])
        } throws: { error in
            guard case FileError.noRoom(let path, .max, let free)? = error as? FileError else { return false }
            return path == folder["a"].path && free > 0
        }
        let error = FileError.noRoom(path: "runs/sft", needed: 16_300_000_000, free: 3_100_000)
        #expect(error.description.hasPrefix("cannot write runs/sft: it needs 16.3 GB, and the disk has 3 MB free; free some space"))
    }

    @Test func safetensorsAreNotBegunWithoutRoom() throws {
        let folder = try TemporaryFolder()
        let large = WritableTensor("large", shape: [1 << 58]) {
            Issue.record("a tensor was fetched")
            return []
        }
        #expect(throws: FileError.self) { try SafetensorsWriter().write([large], to: folder["."]) }
        #expect(throws: FileError.self) { try SafetensorsWriter().write([large], toFile: folder["model.safetensors"]) }
        #expect(try Folder.names(in: folder["."].path).isEmpty)
    }
}
