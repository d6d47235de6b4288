import Formats
import Foundation
import Testing
import _TestSupport

/// What is there, what is not, and what cannot be said.
@Suite struct FileStatusTests {
    /// A name longer than any file system takes: the system cannot say whether it exists.
    private let impossible = "/" + String(repeating: "x", count: 300)

    @Test func namesEveryKind() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("four", to: folder["file"])
        try Folder.make(folder["folder"])
        #expect(symlink("file", folder["link"].path) == 0)
        #expect(symlink("nothing", folder["dangling"].path) == 0)
        #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
        #expect(try FileStatus.of(folder["file"])?.kind == .file)
        #expect(try FileStatus.of(folder["file"])?.length == 4)
        #expect(try FileStatus.of(folder["folder"])?.kind == .folder)
        #expect(try FileStatus.of(folder["link"])?.kind == .file)
        #expect(try FileStatus.of(folder["link"].path, followingLinks: false)?.kind == .link)
        #expect(try FileStatus.of(folder["dangling"]) == nil)
        #expect(try FileStatus.of(folder["pipe"])?.kind == .other)
        #expect(try FileStatus.of("/dev/zero")?.kind == .other)
    }

    @Test func onlyAbsenceIsAbsence() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("", to: folder["file"])
        #expect(try FileStatus.of(folder["missing"]) == nil)
        #expect(try FileStatus.of(folder["file/below"]) == nil)
        #expect(try Folder.namesIfPresent(in: folder["missing"].path) == nil)
        #expect(throws: FileError.self) { try FileStatus.of(impossible) }
        #expect(throws: FileError.self) { try Folder.namesIfPresent(in: impossible) }
        #expect(throws: FileError.missing(path: folder["missing"].path)) { try Folder.names(in: folder["missing"].path) }
    }

    @Test func listsNamesInOrder() throws {
        let folder = try TemporaryFolder()
        for name in ["b", "a", ".hidden", "ä"] { try AtomicFile.write("", to: folder[name]) }
        #expect(try Folder.names(in: folder.url.path) == [".hidden", "a", "b", "ä"])
    }

    @Test(.timeLimit(.minutes(1))) func onlyRegularFilesAreReadOrMade() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("text", to: folder["file"])
        #expect(symlink("file", folder["link"].path) == 0)
        #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
        #expect(try Descriptor.content(of: folder["file"].path) == Array("text".utf8))
        #expect(try Descriptor.content(of: folder["link"].path) == Array("text".utf8))
        #expect(throws: FileError.notAFile(path: folder["link"].path, kind: "a symbolic link")) {
            try Descriptor.content(of: folder["link"].path, followingLinks: false)
        }
        #expect(throws: FileError.damaged(path: folder["file"].path, problem: "it is larger than 3 bytes")) {
            try Descriptor.content(of: folder["file"].path, limit: 3)
        }
        for path in [folder["pipe"].path, "/dev/zero", folder.url.path] {
            #expect(throws: FileError.self) { try Descriptor.content(of: path) }
            #expect(throws: FileError.self) { _ = try Descriptor(creatingFile: path, O_WRONLY) }
            #expect(throws: FileError.self) { _ = try Descriptor(creatingFile: path, O_RDWR) }
        }
        #expect(throws: FileError.notAFile(path: folder["link"].path, kind: "a symbolic link")) {
            _ = try Descriptor(creatingFile: folder["link"].path, O_WRONLY | O_TRUNC)
        }
        #expect(text(of: folder["file"]) == "text")
        let new = try Descriptor(creatingFile: folder["new"].path, O_WRONLY)
        try Array("new".utf8).withUnsafeBytes { try new.write($0) }
        #expect(text(of: folder["new"]) == "new")
    }
}
