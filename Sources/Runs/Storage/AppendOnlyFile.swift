internal import Formats
internal import Foundation

/// A file that grows by whole lines and can be cut back to a length that it had before.
///
/// Its checksum grows with it, so that a checkpoint need not read the file again.
final class AppendOnlyFile {
    let url: URL
    private let descriptor: Descriptor
    /// The checksum of the first `bytes` of the file; nil until it has been read once.
    private var known: (crc: CRC64, bytes: UInt64)?

    /// Opens the file, creating it when it is absent.
    /// - Throws: `FileError.cannotCreate`; `.notAFile` for a link, a named pipe or a device, which are neither followed nor waited for.
    init(_ url: URL) throws {
        self.url = url
        descriptor = try Descriptor(creatingFile: url.path, O_WRONLY | O_APPEND)
    }

    /// The length in bytes.
    func length() throws -> UInt64 { try descriptor.length() }

    /// The checksum of the whole file, as 16 hexadecimal digits.
    func checksum() throws -> String {
        let length = try length()
        if let known, known.bytes == length { return known.crc.digits }
        let crc = try Self.checksum(of: url, first: length)
        known = (crc, length)
        return crc.digits
    }

    /// Appends text in one piece. When that fails (a full disk), no part of it stays.
    /// - Throws: `FileError.cannotWrite`, also when the file was deleted in the meantime.
    func append(_ text: String) throws {
        var text = text
        try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends bytes in one piece. When that fails (a full disk), no part of them stays.
    /// - Throws: as `append(_:)` of a text.
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

    /// Waits until all lines are on the disk.
    func synchronise() throws { try descriptor.synchronise() }

    /// Checks that the file begins with what it held at a checkpoint.
    /// - Parameter checksum: Of the first `length` bytes; nil where the checkpoint has none.
    /// - Throws: `RunFolderError.shortened` when the file is shorter than that: lines are missing; `.changedLines`.
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

    /// Drops everything behind the first `length` bytes.
    /// - Throws: `RunFolderError.shortened` when the file is shorter than that.
    func cut(to length: UInt64) throws {
        let found = try descriptor.length()
        guard found >= length else {
            throw RunFolderError.shortened(path: url.path, bytes: found, expected: length)
        }
        if found > length { try descriptor.truncate(to: length) }
    }

    /// The checksum of the first bytes of a file, which is only read.
    /// - Throws: `RunFolderError.shortened` for a file that is shorter; `FileError`.
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
