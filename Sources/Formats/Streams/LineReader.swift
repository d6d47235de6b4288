internal import Foundation

/// Splits a byte source into lines without ever holding more than one line and one chunk.
///
/// A byte-order mark at the start is dropped, and so is a carriage return before a newline. A line longer than the
/// limit is read past, not kept. Where the first line end is a carriage return alone behind a closing brace, as in JSON lines from old
/// Macintoshes, such ones end all lines.
package final class LineReader {
    /// What stands in a line.
    package enum Line: Equatable {
        case text([UInt8])
        case tooLong
    }

    /// The number of the line that `next` gave last, from 1.
    package private(set) var lineNumber = 0
    private let source: ByteSource
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var atEnd = false
    private var mayHaveMark = true
    /// The byte that ends lines.
    private var lineEnd: UInt8 = 0x0a

    /// Reads the lines of a source; `limit` is in bytes.
    package init(_ source: ByteSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    /// The next line, or nil at the end. A last line without newline counts; an empty rest does not.
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

    /// Looks at what ends the first line, as far as it has been read.
    /// - Returns: Whether it has turned out to be a carriage return.
    private func findLineEnd(from position: Int) -> Bool {
        guard lineEnd == 0x0a, position < buffer.count,
            let end = buffer[position...].firstIndex(where: { $0 == 0x0a || $0 == 0x0d }), buffer[end] == 0x0d,
            end + 1 < buffer.count ? buffer[end + 1] != 0x0a : atEnd, end > start, buffer[end - 1] == UInt8(ascii: "}")
        else { return false }
        // a closing brace before the end of its object is followed by more of it
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
