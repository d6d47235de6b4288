internal import Foundation

/// Splits a byte source into the records of a CSV file (RFC 4180) without ever holding more than one record and one chunk.
///
/// Fields are separated by commas; a field in double quotes may hold commas, newlines and doubled quotes. Records end
/// with a newline, before which a carriage return is dropped; where the first of them ends with a carriage return alone, as in old files
/// of the Macintosh, all may. A byte-order mark at the start and empty lines are no content. Nothing is trimmed.
package final class CSVReader {
    /// A record, or what is wrong with one.
    package enum Result: Equatable {
        case fields([String])
        /// The record breaks the format; reading can go on with the next line.
        case bad(RowProblem)
    }

    /// The line on which the record that `next` gave last begins, from 1.
    package private(set) var recordLine = 1
    private let source: ByteSource
    private let limit: Int
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var line = 1
    private var atEnd = false
    private var isStart = true
    /// What ends lines, as the first line end outside of quotes says.
    private var lineEnd = LineEnd.unknown

    private enum LineEnd { case unknown, newline, carriageReturn }

    /// Reads the records of a source.
    /// - Parameters:
    ///   - file: what to call it in errors.
    ///   - limit: the most bytes of a record.
    package init(_ source: ByteSource, file: String, limit: Int) {
        self.source = source
        self.limit = limit
        self.file = file
    }

    /// Where a reader is inside a field.
    fileprivate enum Place {
        /// No byte of the field has been read.
        case start
        case plain
        case quoted
        /// Behind a quote inside a quoted field: its end, or the first of two.
        case quote
        /// Behind a fault: reading on to the end of the line.
        case lost(RowProblem)
    }

    /// The next record, or nil at the end.
    /// - Throws: `FormatError.malformedFile` if the file ends inside quotes; `FormatError.unreadable`.
    package func next() throws -> Result? {
        var fields: [[UInt8]] = []
        var field: [UInt8] = []
        var place = Place.start
        var size = 0
        recordLine = line
        while true {
            guard let byte = try nextByte(isQuoted: place.isQuoted) else {
                switch place {
                case .quoted: throw unclosed()
                case .start where fields.isEmpty: return nil
                case .lost(let problem): return .bad(problem)
                default:
                    fields.append(field)
                    return Self.result(of: fields)
                }
            }
            let isNewline = byte == 0x0a
            if isNewline { line += 1 }
            size += 1
            if size > limit, !place.isLost {
                return try skipRecord(insideQuotes: place.isQuoted != (byte == 0x22), atNewline: isNewline)
            }
            switch place {
            case .quoted:
                if byte == 0x22 {
                    place = .quote
                } else {
                    field.append(byte)
                    appendRun(to: &field, isQuoted: true, size: &size)
                }
            case .lost(let problem):
                if isNewline { return .bad(problem) }
            case .start, .plain, .quote:
                switch byte {
                case 0x2c:
                    fields.append(field)
                    field.removeAll(keepingCapacity: true)
                    place = .start
                case 0x0a:
                    if field.last == 0x0d, place.isPlain { field.removeLast() }
                    if fields.isEmpty, field.isEmpty, !place.isQuote {
                        // an empty line
                        place = .start
                        size = 0
                        recordLine = line
                        continue
                    }
                    fields.append(field)
                    return Self.result(of: fields)
                case 0x22:
                    switch place {
                    case .start: place = .quoted
                    case .quote:
                        field.append(byte)
                        place = .quoted
                    default: place = .lost(.malformed("a quote inside a field that is not in quotes"))
                    }
                case 0x0d where place.isQuote:
                    // the carriage return before a newline; anything else behind it is a fault
                    guard let after = try nextByte(isQuoted: false) else {
                        fields.append(field)
                        return Self.result(of: fields)
                    }
                    guard after == 0x0a else {
                        place = .lost(.malformed("text between a closing quote and the next comma"))
                        continue
                    }
                    line += 1
                    fields.append(field)
                    return Self.result(of: fields)
                default:
                    if place.isQuote {
                        place = .lost(.malformed("text between a closing quote and the next comma"))
                    } else {
                        field.append(byte)
                        appendRun(to: &field, isQuoted: false, size: &size)
                        place = .plain
                    }
                }
            }
        }
    }

    private static func result(of fields: [[UInt8]]) -> Result {
        var texts: [String] = []
        texts.reserveCapacity(fields.count)
        for field in fields {
            guard let text = String(validating: field, as: UTF8.self) else { return .bad(.invalidUTF8) }
            texts.append(text)
        }
        return .fields(texts)
    }

    /// Appends the bytes up to the next one that means something, as far as the buffer and the limit go.
    private func appendRun(to field: inout [UInt8], isQuoted: Bool, size: inout Int) {
        let last = min(buffer.count, position + max(0, limit - size))
        // a carriage return may end the line
        let stopsAtReturn = lineEnd != .newline
        var end = position
        var newlines = 0
        buffer.withUnsafeBufferPointer { bytes in
            if isQuoted {
                while end < last, bytes[end] != 0x22, !(stopsAtReturn && bytes[end] == 0x0d) {
                    if bytes[end] == 0x0a { newlines += 1 }
                    end += 1
                }
            } else {
                while end < last, bytes[end] != 0x2c, bytes[end] != 0x0a, bytes[end] != 0x22,
                    !(stopsAtReturn && bytes[end] == 0x0d)
                {
                    end += 1
                }
            }
        }
        field.append(contentsOf: buffer[position..<end])
        size += end - position
        line += newlines
        position = end
    }

    /// Reads past the rest of a record that is too long, keeping nothing. Quotes still say where it ends.
    private func skipRecord(insideQuotes: Bool, atNewline: Bool) throws -> Result {
        var isQuoted = insideQuotes
        if !isQuoted && atNewline { return .bad(.tooLong(limit: limit)) }
        while let byte = try nextByte(isQuoted: isQuoted) {
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x0a {
                line += 1
                if !isQuoted { return .bad(.tooLong(limit: limit)) }
            }
        }
        if isQuoted { throw unclosed() }
        return .bad(.tooLong(limit: limit))
    }

    private func unclosed() -> FormatError {
        .malformedFile(RowLocation(file: file, line: recordLine), "the file ends inside the quotes of this record")
    }

    /// The next byte; outside of quotes, a carriage return that ends a line by itself is given out as a newline.
    private func nextByte(isQuoted: Bool) throws -> UInt8? {
        guard let byte = try rawByte() else { return nil }
        switch byte {
        case 0x0a where !isQuoted && lineEnd == .unknown: lineEnd = .newline
        case 0x0d where lineEnd != .newline:
            let isAlone = try peekByte() != 0x0a
            if isQuoted {
                if isAlone, lineEnd == .carriageReturn { line += 1 }
                return byte
            }
            if lineEnd == .unknown {
                guard isAlone else { return byte }
                lineEnd = .carriageReturn
            } else if !isAlone {
                position += 1
            }
            return 0x0a
        default: break
        }
        return byte
    }

    private func peekByte() throws -> UInt8? {
        guard try rawByte() != nil else { return nil }
        position -= 1
        return buffer[position]
    }

    private func rawByte() throws -> UInt8? {
        while position == buffer.count {
            guard !atEnd else { return nil }
            buffer.removeAll(keepingCapacity: true)
            position = 0
            atEnd = try !source.read(into: &buffer)
            if isStart, !atEnd {
                while buffer.count < 3, try source.read(into: &buffer) {}
                isStart = false
                if buffer.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
            }
        }
        position += 1
        return buffer[position - 1]
    }
}

extension CSVReader.Place {
    fileprivate var isQuoted: Bool { if case .quoted = self { true } else { false } }
    fileprivate var isQuote: Bool { if case .quote = self { true } else { false } }
    fileprivate var isPlain: Bool { if case .plain = self { true } else { false } }
    fileprivate var isLost: Bool { if case .lost = self { true } else { false } }
}
