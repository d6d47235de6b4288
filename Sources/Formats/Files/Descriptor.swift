internal import Foundation

/// An open file or folder. It is closed when the value goes out of scope.
///
/// Calls that a signal interrupts are repeated. Child processes do not inherit the file descriptor.
package struct Descriptor: ~Copyable {
    /// The file descriptor's number.
    package let number: Int32
    /// The path with which it was opened, for error messages.
    package let path: String

    /// Opens a file or folder for reading.
    /// - Throws: `FileError.missing` or `.unreadable`.
    package init(reading path: String, followingLinks: Bool = true) throws {
        number = open(path, O_RDONLY | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW))
        self.path = path
        guard number >= 0 else { throw FileError.opening(path, .last) }
    }

    /// Opens a regular file for reading. Named pipes and devices are rejected without waiting for their other end.
    /// - Parameter followingLinks: Whether the path may be a symbolic link.
    /// - Throws: `FileError.missing`, `.unreadable` or `.notAFile`.
    package init(readingFile path: String, followingLinks: Bool = true) throws {
        try self.init(file: path, O_RDONLY | (followingLinks ? 0 : O_NOFOLLOW), opening: FileError.opening)
    }

    /// Opens or creates a regular file in a folder that belongs to the program. Symbolic links, named pipes, devices and files
    /// with a second hard link are rejected, so that nothing outside the folder is modified.
    /// - Parameter flags: Flags for `open` in addition to `O_CREAT`, such as `O_EXCL`, `O_APPEND` or `O_RDWR`.
    /// - Throws: `FileError.cannotCreate` or `.notAFile`.
    package init(creatingFile path: String, _ flags: Int32) throws {
        try self.init(file: path, flags | O_CREAT | O_NOFOLLOW, mayBeShared: false) { .cannotCreate(path: $0, $1) }
    }

    private init(file path: String, _ flags: Int32, mayBeShared: Bool = true, opening error: (String, SystemError) -> FileError) throws {
        self.path = path
        var opened: Int32
        repeat {
            // Without O_NONBLOCK, opening a named pipe would wait for its other end. It has no effect on regular files.
            opened = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o644)
        } while opened < 0 && errno == EINTR
        number = opened
        guard number >= 0 else {
            let reason = SystemError.last
            if reason.code == ELOOP { throw FileError.notAFile(path: path, kind: "a symbolic link") }
            if reason.code == EISDIR { throw FileError.notAFile(path: path, kind: "a folder") }
            // ENXIO: a named pipe without a reader, or a socket
            if reason.code == ENXIO { throw FileError.notAFile(path: path, kind: "a named pipe, a socket or a device") }
            throw error(path, reason)
        }
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileError.unreadable(path: path, .last) }
        switch FileStatus(status).kind {
        case .file where mayBeShared || FileStatus(status).names < 2: return
        case .file: throw FileError.notAFile(path: path, kind: "a hard link (a second name of another file); replace it with a copy")
        case .folder: throw FileError.notAFile(path: path, kind: "a folder")
        default: throw FileError.notAFile(path: path, kind: "a named pipe, a socket or a device")
        }
    }

    /// The whole content of a regular file.
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - limit: The maximum size in bytes.
    ///   - followingLinks: Whether the path may be a symbolic link.
    /// - Throws: As ``init(readingFile:followingLinks:)``; `FileError.damaged` if the file exceeds the limit.
    package static func content(of path: String, limit: Int = .max, followingLinks: Bool = true) throws -> [UInt8] {
        let descriptor = try Descriptor(readingFile: path, followingLinks: followingLinks)
        let length = try descriptor.length()
        func tooLong() -> FileError { .damaged(path: path, problem: "it is larger than \(limit) bytes") }
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

    /// Opens a file for writing, and creates it if it does not exist.
    /// - Parameter flags: Flags for `open` in addition to `O_CREAT`, such as `O_EXCL`, `O_APPEND` or `O_RDWR`.
    /// - Throws: `FileError.cannotCreate`.
    package init(creating path: String, _ flags: Int32) throws {
        number = open(path, flags | O_CREAT | O_CLOEXEC, 0o644)
        self.path = path
        guard number >= 0 else { throw FileError.cannotCreate(path: path, .last) }
    }

    deinit { if number >= 0 { close(number) } }

    /// Writes all bytes, continuing after short writes.
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

    /// Reads at most as many bytes as the buffer holds. Returns the number of bytes read; 0 at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(number, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError.unreadable(path: path, .last) }
            return count
        }
    }

    /// Syncs the file to disk.
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

    /// Checks that the file still has a name, that is, has not been deleted.
    /// - Throws: `FileError.cannotWrite` if it has been deleted or its status cannot be read.
    package func checkIsLinked() throws {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileError.cannotWrite(path: path, .last) }
        guard status.st_nlink > 0 else { throw FileError.cannotWrite(path: path, SystemError(code: ENOENT)) }
    }

    /// Truncates or extends the file to a length in bytes.
    package func truncate(to length: UInt64) throws {
        while ftruncate(number, off_t(length)) != 0 {
            if errno == EINTR { continue }
            throw FileError.cannotWrite(path: path, .last)
        }
    }

    /// Tries to take an exclusive lock (`flock`), which the kernel releases when the owning process ends.
    /// - Returns: Whether the lock was free.
    /// - Throws: `FileError.cannotWrite` if the file system does not support locks.
    package func lock() throws -> Bool {
        while flock(number, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { throw FileError.cannotWrite(path: path, .last) }
            return false
        }
        return true
    }

    /// Releases the lock. Closing the file is not sufficient while a newly forked child process shares the descriptor.
    package func unlock() { _ = flock(number, LOCK_UN) }

    /// Locks a new temporary file or folder and checks that no other process has removed it. If the file system does not support
    /// locks, it counts as claimed, because then no process cleans up.
    package var isClaimed: Bool {
        guard (try? lock()) ?? true else { return false }
        var status = stat()
        // a failed status call does not indicate that the file was removed
        return fstat(number, &status) != 0 || status.st_nlink > 0
    }

    /// Syncs a folder's entries to disk. Some network file systems do not support this; that is not an error.
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
