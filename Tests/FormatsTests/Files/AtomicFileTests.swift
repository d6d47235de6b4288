import Formats
import Foundation
import Testing
import _TestSupport

@Suite struct AtomicFileTests {
    @Test func appearsOnlyWhenCommitted() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("old", to: folder["a.txt"])
        let file = try AtomicFile(folder["a.txt"])
        try file.write(String(repeating: "new", count: 200_000))
        #expect(text(of: folder["a.txt"]) == "old")
        try file.commit()
        #expect(text(of: folder["a.txt"]) == String(repeating: "new", count: 200_000))
        #expect(folder.names == ["a.txt"])
    }

    @Test("what is no regular file is not replaced by one", arguments: ["link", "pipe", "folder"])
    func otherThings(kind: String) throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("precious", to: folder["target"])
        switch kind {
        case "link": #expect(symlink("target", folder["a"].path) == 0)
        case "pipe": #expect(mkfifo(folder["a"].path, 0o600) == 0)
        default: try Folder.make(folder["a"])
        }
        let before = try FileStatus.of(folder["a"].path, followingLinks: false)
        let error = #expect(throws: FileError.self) { try AtomicFile.write("new", to: folder["a"]) }
        guard case .cannotReplace(folder["a"].path, _)? = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(try FileStatus.of(folder["a"].path, followingLinks: false)?.identity == before?.identity)
        #expect(text(of: folder["target"]) == "precious" && folder.names == ["a", "target"])
    }

    @Test func leavesNothingWhenGivenUp() throws {
        let folder = try TemporaryFolder()
        do {
            let file = try AtomicFile(folder["a.txt"])
            try file.write("half")
            #expect(folder.names.count == 1)
        }
        #expect(folder.names == [])
    }

    @Test func twoWritersOfOneNameDoNotDisturbEachOther() throws {
        let folder = try TemporaryFolder()
        let (first, second) = (try AtomicFile(folder["a"]), try AtomicFile(folder["a"]))
        try first.write("first")
        try second.write("second")
        try first.commit()
        #expect(text(of: folder["a"]) == "first")
        try second.commit()
        #expect(text(of: folder["a"]) == "second")
        #expect(folder.names == ["a"])
    }

    @Test func saysWhyAFileCannotBeCreated() throws {
        let folder = try TemporaryFolder()
        let url = folder["missing/a"]
        #expect(throws: FileError.cannotCreate(path: url.path, SystemError(code: ENOENT))) {
            try AtomicFile.write("", to: url)
        }
    }

    /// A limit on the size of files stands in for a full disk: `write` fails half-way.
    @Test func keepsTheOldContentWhenTheDiskIsFull() async throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("old", to: folder["a"])
        await #expect(processExitsWith: .success) { [path = folder["a"].path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            #expect(throws: FileError.cannotWrite(path: path, SystemError(code: EFBIG))) {
                try AtomicFile.write(String(repeating: "x", count: 1_000_000), to: URL(fileURLWithPath: path))
            }
        }
        #expect(text(of: folder["a"]) == "old")
        #expect(folder.names == ["a"])
    }

    /// A process that rewrites a file without end is killed at several moments: the file is always whole.
    @Test(arguments: [3, 17, 31, 59, 97])
    func isWholeAfterAKill(milliseconds: UInt32) async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder["a"].path as String, milliseconds] in
            let url = URL(fileURLWithPath: path)
            try AtomicFile.write(String(repeating: "-", count: 300_000), to: url)
            Thread.detachNewThread {
                usleep(milliseconds * 1000)
                kill(getpid(), SIGKILL)
            }
            while true {
                for letter in ["a", "b", "c"] {
                    try AtomicFile.write(String(repeating: letter, count: 300_000), to: url)
                }
            }
        }
        let content = text(of: folder["a"])
        #expect(content.utf8.count == 300_000)
        #expect(Set(content.utf8).count == 1)
        // The next writer of the name clears up.
        try AtomicFile.write("end", to: folder["a"])
        #expect(folder.names == ["a"])
    }
}
