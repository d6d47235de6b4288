internal import Foundation

/// Splits a byte source into lines. It holds at most one line and one chunk in memory.
///
/// A byte-order mark at the start is dropped, and so is a carriage return before a newline. Lines that exceed the limit are
/// skipped without being stored. If the first line ends with a carriage return alone after a closing brace, as in JSON Lines
/// files from classic Mac OS, a carriage return ends every line.
package final class LineReader {
    /// The content of a line.
    package enum Line: Equatable {
        /// The bytes of the line, without its line end.
        case text([UInt8])
        /// The line exceeds the limit.
        case tooLong
    }

    /// The number of the line that `next` returned last, counted from 1.
    package private(set) var lineNumber = 0
    private let source: ByteSource
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var atEnd = false
    private var mayHaveMark = true
    /// The byte that ends a line.
    private var lineEnd: UInt8 = 0x0a

    /// Reads the lines of a source. `limit` is the maximum length of a line in bytes.
    package init(_ source: ByteSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    /// The next line, or nil at the end. The last line may lack a newline; an empty remainder does not count.
    package func next() throws -> Line? {
        var scanned = start
        var dropping = false
        while true {
            if lineNumber == 0, !dropping, findLineEnd(from: max(start, scanned - 1)) { scanned = start }
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
            if mayHaveMark, lineNumber == 0 { dropByteOrderMark() }
        }
    }

    /// Determines from the buffered bytes whether lines end with a carriage return.
    /// - Returns: Whether the first line does.
    private func findLineEnd(from position: Int) -> Bool {
        guard lineEnd == 0x0a, position < buffer.count,
            let end = buffer[position...].firstIndex(where: { $0 == 0x0a || $0 == 0x0d }), buffer[end] == 0x0d,
            end + 1 < buffer.count ? buffer[end + 1] != 0x0a : atEnd, end > start, buffer[end - 1] == UInt8(ascii: "}")
        else { return false }
        // if the brace closed only a nested object, the next line would not start with "{"
        if end + 1 < buffer.count, buffer[(end + 1)...].first(where: { !OneLine.isSpace($0) }) != UInt8(ascii: "{") { return false }
        lineEnd = 0x0d
        return true
    }

    private func newline(from position: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard position < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + position, Int32(lineEnd), bytes.count - position)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private func give(_ range: Range<Int>, dropping: Bool) -> Line {
        lineNumber += 1
        if dropping || range.count > limit { return .tooLong }
        let end = lineEnd == 0x0a && range.upperBound > range.lowerBound && buffer[range.upperBound - 1] == 0x0d
        return .text(Array(buffer[range.lowerBound..<(end ? range.upperBound - 1 : range.upperBound)]))
    }

    private func dropByteOrderMark() {
        guard buffer.count >= 3 || atEnd else { return }
        mayHaveMark = false
        if start == 0, buffer.starts(with: [0xef, 0xbb, 0xbf]) { buffer.removeSubrange(0..<3) }
    }
}
