package import Foundation

/// What a path names, as the operating system says.
///
/// Only "no such file or folder" is absence. Every other failure (no permission, too many open files, an input/output error) is an
/// error: whoever takes it for absence begins again where a run should go on, or leaves a file out.
package struct FileStatus: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case file, folder, link
        /// A named pipe, a socket or a device.
        case other

        /// As people call it.
        package var description: String {
            switch self {
            case .file: "a file"
            case .folder: "a folder"
            case .link: "a symbolic link"
            case .other: "a named pipe, a socket or a device"
            }
        }
    }

    /// Which file it is, whatever it is called.
    package struct Identity: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    package let kind: Kind
    /// The length in bytes.
    package let length: UInt64
    /// The same for all names of a file.
    package let identity: Identity
    /// How many names a file has.
    package let names: Int

    /// Looks a path up.
    /// - Parameter followingLinks: Whether a symbolic link stands for what it points to. A link that points to nothing is then absent.
    /// - Returns: Nil where nothing has this name.
    /// - Throws: `FileError.unreadable` when the system cannot say.
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

    /// Looks a path up, following links.
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
