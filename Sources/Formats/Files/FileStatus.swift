package import Foundation

/// The status of a path: what it names, its length and its identity.
///
/// Only "no such file or directory" counts as missing. Every other failure (permission denied, too many open files, an I/O error)
/// is thrown: treating it as missing would restart a run that should resume, or leave out a file.
package struct FileStatus: Equatable, Sendable {
    /// The kinds of file system objects.
    package enum Kind: Equatable, Sendable {
        /// A regular file, a folder or a symbolic link.
        case file, folder, link
        /// A named pipe, a socket or a device.
        case other

        /// The kind as words for error messages.
        package var description: String {
            switch self {
            case .file: "a file"
            case .folder: "a folder"
            case .link: "a symbolic link"
            case .other: "a named pipe, a socket or a device"
            }
        }
    }

    /// Identifies a file independently of its name (device and inode number).
    package struct Identity: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    /// The kind of object.
    package let kind: Kind
    /// The length in bytes.
    package let length: UInt64
    /// Equal for all names of one file.
    package let identity: Identity
    /// The number of hard links to the file.
    package let names: Int

    /// The status of a path.
    /// - Parameters:
    ///   - path: The path.
    ///   - followingLinks: Whether to follow symbolic links. A dangling link then counts as missing.
    /// - Returns: The status, or nil if the path does not exist.
    /// - Throws: `FileError.unreadable` if the status cannot be read.
    package static func of(_ path: String, followingLinks: Bool = true) throws -> FileStatus? {
        var status = stat()
        while (followingLinks ? stat(path, &status) : lstat(path, &status)) != 0 {
            let reason = SystemError.last
            switch reason.code {
            case EINTR: continue
            case ENOENT, ENOTDIR: return nil
            default: throw FileError.unreadable(path: path, reason)
            }
        }
        return FileStatus(status)
    }

    /// The status of a file URL's path, following symbolic links. Nil if the path does not exist.
    package static func of(_ url: URL) throws -> FileStatus? { try of(url.path) }

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        length = UInt64(max(0, status.st_size))
        identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        names = Int(status.st_nlink)
    }
}
