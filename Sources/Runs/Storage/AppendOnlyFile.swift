internal import Formats
internal import Foundation

/// A file that grows by whole lines and can be truncated to an earlier length.
///
/// Its checksum is updated incrementally, so that checkpoints need not read the file again.
final class AppendOnlyFile {
    let url: URL
    private let descriptor: Descriptor
    /// The checksum of the first `bytes` bytes of the file; nil until the file has been read once.
    private var known: (crc: CRC64, bytes: UInt64)?

    /// Opens the file, or creates it.
    /// - Throws: `FileError.cannotCreate`; `.notAFile` for a symbolic link, a named pipe or a device.
    init(_ url: URL) throws {
        self.url = url
        descriptor = try Descriptor(creatingFile: url.path, O_WRONLY | O_APPEND)
    }

    /// The length in bytes.
    func length() throws -> UInt64 { try descriptor.length() }

    /// The CRC-64/XZ of the whole file, as 16 hexadecimal digits.
    func checksum() throws -> String {
        let length = try length()
        if let known, known.bytes == length { return known.crc.digits }
        let crc = try Self.checksum(of: url, first: length)
        known = (crc, length)
        return crc.digits
    }

    /// Appends text in one piece. On failure (such as a full disk), the file is unchanged.
    /// - Throws: `FileError.cannotWrite`, also if the file has been deleted.
    func append(_ text: String) throws {
        var text = text
        try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends bytes in one piece. On failure (such as a full disk), the file is unchanged.
    /// - Throws: As `append(_:)` for text.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try descriptor.checkIsLinked()
        let before = try descriptor.length()
        do {
            try descriptor.write(bytes)
            if known == nil && before == 0 { known = (CRC64(), 0) }
            guard known?.bytes == before else { return known = nil }
            known?.crc.update(bytes)
            known?.bytes += UInt64(bytes.count)
        } catch {
            try? descriptor.truncate(to: before)
            throw error
        }
    }

    /// Syncs the file to disk.
    func synchronise() throws { try descriptor.synchronise() }

    /// Checks that the file starts with what a checkpoint recorded.
    /// - Parameters:
    ///   - length: The recorded length in bytes.
    ///   - checksum: The recorded checksum of the first `length` bytes; nil if the checkpoint has none.
    /// - Throws: `RunFolderError.shortened` if the file is shorter; `.changedLines` if the checksum differs.
    func check(length: UInt64, checksum: String?) throws {
        let found = try descriptor.length()
        guard found >= length else {
            throw RunFolderError.shortened(path: url.path, bytes: found, expected: length)
        }
        let crc = try Self.checksum(of: url, first: length)
        guard checksum == nil || crc.digits == checksum else {
            throw RunFolderError.changedLines(path: url.path, bytes: length)
        }
        known = (crc, length)
    }

    /// Truncates the file to `length` bytes.
    /// - Throws: `RunFolderError.shortened` if the file is shorter.
    func cut(to length: UInt64) throws {
        let found = try descriptor.length()
        guard found >= length else {
            throw RunFolderError.shortened(path: url.path, bytes: found, expected: length)
        }
        if found > length { try descriptor.truncate(to: length) }
    }

    /// The checksum of the first `length` bytes of a file.
    /// - Throws: `RunFolderError.shortened` if the file is shorter; `FileError`.
    static func checksum(of url: URL, first length: UInt64) throws -> CRC64 {
        var crc = CRC64()
        guard length > 0 else { return crc }
        let file = try Descriptor(readingFile: url.path, followingLinks: false)
        var left = length
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 64) { buffer in
            while left > 0 {
                let count = min(left, UInt64(try file.read(into: buffer)))
                guard count > 0 else { throw RunFolderError.shortened(path: url.path, bytes: length - left, expected: length) }
                crc.update(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
                left -= count
            }
        }
        return crc
    }
}
