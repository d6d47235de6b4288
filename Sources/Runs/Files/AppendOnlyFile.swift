internal import Files
internal import Foundation

/// A file that grows by whole lines and can be cut back to a length that it had before.
final class AppendOnlyFile {
    let url: URL
    private let descriptor: Descriptor

    /// Opens the file, creating it when it is absent.
    /// - Throws: `FileError.cannotCreate`.
    init(_ url: URL) throws {
        self.url = url
        descriptor = try Descriptor(creating: url.path, O_WRONLY | O_APPEND)
    }

    /// The length in bytes.
    func length() throws -> UInt64 { try descriptor.length() }

    /// Appends text in one piece. When that fails (a full disk), no part of it stays.
    /// - Throws: `FileError.cannotWrite`, also when the file was deleted in the meantime.
    func append(_ text: String) throws {
        guard descriptor.isLinked else {
            throw FileError.cannotWrite(path: url.path, SystemError(code: ENOENT))
        }
        let before = try descriptor.length()
        var text = text
        do {
            try text.withUTF8 { bytes in try descriptor.write(UnsafeRawBufferPointer(bytes)) }
        } catch {
            try? descriptor.truncate(to: before)
            throw error
        }
    }

    /// Waits until all lines are on the disk.
    func synchronise() throws { try descriptor.synchronise() }

    /// Drops everything behind the first `length` bytes.
    /// - Throws: `RunFolderError.shortened` when the file is shorter than that: lines are missing.
    func cut(to length: UInt64) throws {
        let found = try descriptor.length()
        guard found >= length else {
            throw RunFolderError.shortened(path: url.path, bytes: found, expected: length)
        }
        if found > length { try descriptor.truncate(to: length) }
    }
}
