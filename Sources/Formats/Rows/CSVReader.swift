internal import Foundation

/// Splits a byte source into the records of a CSV file (RFC 4180). It holds at most one record and one chunk in memory.
///
/// Fields are separated by commas. A field in double quotes may contain commas, newlines and doubled quotes. Records end with a
/// newline; a carriage return before it is dropped. If the first record ends with a carriage return alone, as in files from
/// classic Mac OS, a carriage return ends every record. A byte-order mark at the start and empty lines are ignored. Whitespace is
/// not trimmed.
package final class CSVReader {
    /// A record, or what is wrong with it.
    package enum Result: Equatable {
        /// The fields of a record.
        case fields([String])
        /// The record violates the format. Reading can continue with the next line.
        case bad(RowProblem)
    }

    /// The line on which the record that `next` returned last starts, counted from 1.
    package private(set) var recordLine = 1
    private let source: ByteSource
    private let limit: Int
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var line = 1
    private var atEnd = false
    private var isStart = true
    /// The line ending, determined by the first line end outside quotes.
    private var lineEnd = LineEnd.unknown

    private enum LineEnd { case unknown, newline, carriageReturn }

    /// Reads the records of a source.
    /// - Parameters:
    ///   - source: The bytes.
    ///   - file: The file's name for error messages.
    ///   - limit: The maximum size of a record in bytes.
    package init(_ source: ByteSource, file: String, limit: Int) {
        self.source = source
        self.limit = limit
        self.file = file
    }

    /// The position of the parser within a field.
    fileprivate enum Place {
        /// Before the first byte of the field.
        case start
        case plain
        case quoted
        /// After a quote inside a quoted field: the end of the field, or the first of two quotes.
        case quote
        /// After an error: skipping the rest of the line.
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
                        // empty line
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
                    default: place = .lost(.malformed("a quote inside an unquoted field"))
                    }
                case 0x0d where place.isQuote:
                    // a carriage return before the newline; anything else after the quote is an error
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

    /// Appends the bytes before the next special character, within the buffer and the limit.
    private func appendRun(to field: inout [UInt8], isQuoted: Bool, size: inout Int) {
        let last = min(buffer.count, position + max(0, limit - size))
        // a carriage return may be a line end
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

    /// Skips the rest of a record that exceeds the limit. Quotes are still tracked to find its end.
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
        .malformedFile(RowLocation(file: file, line: recordLine), "the file ends inside a quoted field of this record")
    }

    /// The next byte. Outside quotes, a carriage return that is a line end is returned as a newline.
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
