import Foundation

/// Splits a byte source into lines without ever holding more than one line and one chunk.
///
/// A byte-order mark at the start is dropped, and so is a carriage return before a newline. A line longer than the
/// limit is read past, not kept.
final class LineReader {
    enum Line: Equatable {
        case text([UInt8])
        case tooLong
    }

    /// The number of the line that `next` gave last, from 1.
    private(set) var lineNumber = 0
    private let source: ByteSource
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var atEnd = false

    init(_ source: ByteSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    /// The next line, or nil at the end. A last line without newline counts; an empty rest does not.
    func next() throws -> Line? {
        var scanned = start
        var dropping = false
        while true {
            if let end = newline(from: scanned) {
                defer { start = end + 1 }
                return give(start..<end, dropping: dropping)
            }
            if atEnd {
                guard start < buffer.count || dropping else { return nil }
                defer { start = buffer.count }
                return give(start..<buffer.count, dropping: dropping)
            }
            if buffer.count - start > limit {
                dropping = true
                start = buffer.count
            }
            if start > 0 {
                buffer.removeSubrange(0..<start)
                start = 0
            }
            scanned = buffer.count
            atEnd = try !source.read(into: &buffer)
            if lineNumber == 0 && !dropping { dropByteOrderMark() }
        }
    }

    private func newline(from position: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard position < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + position, 0x0a, bytes.count - position)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private func give(_ range: Range<Int>, dropping: Bool) -> Line {
        lineNumber += 1
        if dropping || range.count > limit { return .tooLong }
        let end = range.upperBound > range.lowerBound && buffer[range.upperBound - 1] == 0x0d
        return .text(Array(buffer[range.lowerBound..<(end ? range.upperBound - 1 : range.upperBound)]))
    }

    private func dropByteOrderMark() {
        if start == 0 && buffer.starts(with: [0xef, 0xbb, 0xbf]) { buffer.removeSubrange(0..<3) }
    }
}
