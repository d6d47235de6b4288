internal import Foundation

/// An open file or folder of the operating system, closed when it goes out of scope.
///
/// Every call is repeated when a signal interrupts it; none is handed on to child processes.
package struct Descriptor: ~Copyable {
    package let number: Int32
    package let path: String

    /// Opens a file to read from its beginning.
    /// - Throws: `FileError.missing` or `.unreadable`.
    package init(reading path: String, followingLinks: Bool = true) throws {
        number = open(path, O_RDONLY | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW))
        self.path = path
        guard number >= 0 else { throw FileError.opening(path, .last) }
    }

    /// Opens a regular file to read from its beginning. Named pipes and devices are refused without waiting for anybody at their other
    /// end.
    /// - Parameter followingLinks: Whether the name may be a symbolic link.
    /// - Throws: `FileError.missing`, `.unreadable` or `.notAFile`.
    package init(readingFile path: String, followingLinks: Bool = true) throws {
        try self.init(file: path, O_RDONLY | (followingLinks ? 0 : O_NOFOLLOW), opening: FileError.opening)
    }

    /// Opens a regular file of a folder that is the program's own, creating it when it is absent; a symbolic link, a named pipe or a
    /// device in its place is refused, so that nothing outside of the folder is written to.
    /// - Parameter flags: What `open` takes beside `O_CREAT`, such as `O_EXCL`, `O_APPEND` or `O_RDWR`.
    /// - Throws: `FileError.cannotCreate` or `.notAFile`.
    ///
    /// A file that has a second name (a hard link) belongs to somebody else, too, and is refused.
    package init(creatingFile path: String, _ flags: Int32) throws {
        try self.init(file: path, flags | O_CREAT | O_NOFOLLOW, mayBeShared: false) { .cannotCreate(path: $0, $1) }
    }

    private init(file path: String, _ flags: Int32, mayBeShared: Bool = true, opening error: (String, SystemError) -> FileError) throws {
        self.path = path
        var opened: Int32
        repeat {
            // Without O_NONBLOCK, opening a named pipe would wait for its other end; a regular file does not notice.
            opened = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o644)
        } while opened < 0 && errno == EINTR
        number = opened
        guard number >= 0 else {
            let reason = SystemError.last
            if reason.code == ELOOP { throw FileError.notAFile(path: path, kind: "a symbolic link") }
            if reason.code == EISDIR { throw FileError.notAFile(path: path, kind: "a folder") }
            // a named pipe without a reader, or a socket
            if reason.code == ENXIO { throw FileError.notAFile(path: path, kind: "a named pipe, a socket or a device") }
            throw error(path, reason)
        }
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileError.unreadable(path: path, .last) }
        switch FileStatus(status).kind {
        case .file where mayBeShared || FileStatus(status).names < 2: return
        case .file: throw FileError.notAFile(path: path, kind: "a hard link, a second name of a file that would change with it; copy it")
        case .folder: throw FileError.notAFile(path: path, kind: "a folder")
        default: throw FileError.notAFile(path: path, kind: "a named pipe, a socket or a device")
        }
    }

    /// The whole content of a regular file.
    /// - Parameter limit: The most bytes that are taken into memory.
    /// - Throws: As ``init(readingFile:followingLinks:)``; `FileError.damaged` when the file is longer than the limit.
    package static func content(of path: String, limit: Int = .max, followingLinks: Bool = true) throws -> [UInt8] {
        let descriptor = try Descriptor(readingFile: path, followingLinks: followingLinks)
        let length = try descriptor.length()
        func tooLong() -> FileError { .damaged(path: path, problem: "it has more than \(limit) bytes") }
        guard length <= UInt64(limit) else { throw tooLong() }
        var content: [UInt8] = []
        content.reserveCapacity(Int(length) + 1)
        var chunk = [UInt8](repeating: 0, count: min(1 << 18, Int(length) + 1))
        while true {
            let count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            if count == 0 { return content }
            guard content.count + count <= limit else { throw tooLong() }
            content += chunk[..<count]
        }
    }

    /// Opens a file to write to, creating it when it is absent.
    /// - Parameter flags: What `open` takes beside `O_CREAT`, such as `O_EXCL`, `O_APPEND` or `O_RDWR`.
    /// - Throws: `FileError.cannotCreate`.
    package init(creating path: String, _ flags: Int32) throws {
        number = open(path, flags | O_CREAT | O_CLOEXEC, 0o644)
        self.path = path
        guard number >= 0 else { throw FileError.cannotCreate(path: path, .last) }
    }

    deinit { if number >= 0 { close(number) } }

    /// Writes all bytes; a short write is continued.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = Foundation.write(number, start, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw FileError.cannotWrite(path: path, count == 0 ? SystemError(code: EIO) : .last)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }

    /// Reads up to the buffer's size; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(number, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError.unreadable(path: path, .last) }
            return count
        }
    }

    /// Waits until what was written is on the disk.
    package func synchronise() throws {
        while fsync(number) != 0 {
            if errno == EINTR { continue }
            throw FileError.cannotWrite(path: path, .last)
        }
    }

    /// The file's length in bytes.
    package func length() throws -> UInt64 {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileError.unreadable(path: path, .last) }
        return UInt64(status.st_size)
    }

    /// Checks that the file still has a name.
    /// - Throws: `FileError.cannotWrite`, also when the system cannot say.
    package func checkIsLinked() throws {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileError.cannotWrite(path: path, .last) }
        guard status.st_nlink > 0 else { throw FileError.cannotWrite(path: path, SystemError(code: ENOENT)) }
    }

    /// Cuts the file to a length.
    package func truncate(to length: UInt64) throws {
        while ftruncate(number, off_t(length)) != 0 {
            if errno == EINTR { continue }
            throw FileError.cannotWrite(path: path, .last)
        }
    }

    /// Takes the exclusive lock that the kernel drops when the owner ends, however it ends.
    /// - Returns: Whether it was free.
    /// - Throws: `FileError.cannotWrite` where files cannot be locked at all.
    package func lock() throws -> Bool {
        while flock(number, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { throw FileError.cannotWrite(path: path, .last) }
            return false
        }
        return true
    }

    /// Gives the lock back. Closing the file would not be enough while a child process that has just been forked still
    /// shares it.
    package func unlock() { _ = flock(number, LOCK_UN) }

    /// Whether a new temporary file or folder is this process's own: locked and still there. Where nothing can be
    /// locked, nobody clears up either.
    package var isClaimed: Bool {
        guard (try? lock()) ?? true else { return false }
        var status = stat()
        // where the system cannot say, nobody has taken it away either
        return fstat(number, &status) != 0 || status.st_nlink > 0
    }

    /// Waits until the names in a folder are on the disk. Some file systems of networks have no such call.
    package static func synchronise(folder path: String) throws {
        do {
            try Descriptor(reading: path).synchronise()
        } catch FileError.cannotWrite(_, let reason) where reason.code == EINVAL || reason.code == ENOTSUP {
            return
        } catch FileError.unreadable(_, let reason) {
            throw FileError.cannotWrite(path: path, reason)
        }
    }
}
