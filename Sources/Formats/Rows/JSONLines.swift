public import Foundation

/// A file with one JSON object per line (JSON Lines), read as a stream and written with sorted keys.
///
/// Reading holds one line in memory at a time. Gzip files are decompressed; a byte-order mark and carriage returns are dropped;
/// blank lines are skipped.
public struct JSONLines<Row: Codable>: Sendable {
    /// The default of `lineLimit`: 16 MiB.
    public static var defaultLineLimit: Int { 1 << 24 }

    /// The location of the file.
    public var url: URL
    /// What happens to a line that cannot be decoded.
    public var onBadRow: BadRowPolicy
    /// The maximum length of a line in bytes. Longer lines are bad rows and are skipped without being stored.
    public var lineLimit: Int

    /// A file to read or write. Nothing is opened yet.
    public init(_ url: URL, onBadRow: BadRowPolicy = .fail, lineLimit: Int = Self.defaultLineLimit) {
        self.url = url
        self.onBadRow = onBadRow
        self.lineLimit = lineLimit
    }

    /// Calls `body` with each row and its location, in order.
    /// - Returns: The number of rows read and skipped.
    /// - Throws: `FormatError.unreadable`; `FormatError.badRow` with the policy `fail`; errors of `body`. A `RowProblem` thrown
    ///   by `body` counts as a bad row.
    @discardableResult
    public func readEach(_ body: (Row, RowLocation) throws -> Void) throws -> RowCounts {
        let lines = LineReader(try ByteSource(file: url), limit: lineLimit)
        let decoder = JSONDecoder()
        var counts = RowCounts()
        while let line = try lines.next() {
            let location = RowLocation(file: url.path, line: lines.lineNumber)
            do {
                switch line {
                case .tooLong:
                    throw RowProblem.tooLong(limit: lineLimit)
                case .text(let bytes):
                    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
                    try body(try Self.decode(bytes, with: decoder), location)
                    counts.read += 1
                }
            } catch let problem as RowProblem {
                try counts.meet(problem, at: location, policy: onBadRow)
            }
        }
        return counts
    }

    /// All rows, or the first `count` rows.
    /// - Throws: As `readEach`.
    public func read(first count: Int = .max) throws -> [Row] {
        try firstRows(count) { take in try readEach { row, _ in try take(row) } }
    }

    /// Writes the rows atomically, one per line, with sorted keys.
    /// - Throws: ``FileError``; `FormatError.badRow` for a row that JSON cannot represent (NaN or Inf).
    public func write(_ rows: some Sequence<Row>) throws {
        let file = try AtomicFile(url)
        var number = 0
        for row in rows {
            number += 1
            do {
                try file.write(Self.line(row).utf8)
            } catch let problem as RowProblem {
                throw FormatError.badRow(RowLocation(file: url.path, line: number), problem)
            }
            try file.write(CollectionOfOne(0x0a))
        }
        try file.commit()
    }

    /// One row as a line of JSON without the newline. Keys are sorted and slashes are not escaped.
    /// - Throws: ``RowProblem`` if JSON cannot represent the row.
    public static func line(_ row: Row) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(row), as: UTF8.self)
        } catch EncodingError.invalidValue(_, let context) {
            throw RowProblem.malformed("\(fieldName(context.codingPath)) cannot be written as JSON")
        }
    }

    /// Decodes one line. Every failure is a `RowProblem`, which names the field where possible.
    package static func decode(_ bytes: [UInt8], with decoder: JSONDecoder) throws -> Row {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw RowProblem.invalidUTF8 }
        do {
            return try decoder.decode(Row.self, from: Foundation.Data(bytes))
        } catch {
            throw problem(error, decoding: bytes)
        }
    }

    /// The problem with a line that cannot be decoded: invalid JSON, or a value that does not fit the row type.
    private static func problem(_ error: any Error, decoding bytes: [UInt8]) -> RowProblem {
        if let problem = error as? RowProblem { return problem }
        if let problem = RowJSON.problem(in: bytes) { return problem }
        let value = try? RowJSON.value(bytes)
        if let value, value.members == nil { return .malformed("expected a JSON object, found \(value.kind) (\(RowJSON.excerpt(bytes)))") }
        // valid except for NaN or Inf, with which decoding fails whatever the key
        if let value, let (field, number) = RowJSON.nonFinite(in: value) {
            return .malformed("not JSON: the field \(OneLine.quoted(field)) is \(number), which JSON does not allow")
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return .missingField(fieldName(context.codingPath + [key]))
        case DecodingError.valueNotFound(_, let context):
            return .missingField(fieldName(context.codingPath))
        case DecodingError.typeMismatch(let type, let context):
            return .wrongType(field: fieldName(context.codingPath), expected: jsonName(of: type), got: "another type")
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return .malformed("field \"\(fieldName(context.codingPath))\": \(context.debugDescription)")
        default:
            // for a number that is too large or not an integer, the decoder does not report the field
            if let value, case let numbers = RowJSON.notWhole(in: value), !numbers.isEmpty {
                let shown = numbers.map { "\(OneLine.quoted($0.field)) is \($0.number)" }.joined(separator: ", ")
                return .malformed("a number is not whole or is out of range: \(shown)")
            }
            return .malformed("not a JSON object (\(RowJSON.excerpt(bytes)))")
        }
    }

    private static func fieldName(_ path: [any CodingKey]) -> String {
        path.map { key in key.intValue.map(String.init) ?? key.stringValue }.joined(separator: ".")
    }

    private static func jsonName(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type, is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is [Any].Type: "an array"
        default: "\(type)".hasPrefix("Array") ? "an array" : "an object"
        }
    }
}

/// The first `count` rows of a stream. The rest of the stream is not read.
/// - Parameters:
///   - count: The maximum number of rows.
///   - stream: Passes each row to the given function.
package func firstRows<Row>(_ count: Int, of stream: (_ take: (Row) throws -> Void) throws -> Void) throws -> [Row] {
    var rows: [Row] = []
    guard count > 0 else { return rows }
    do {
        try stream { row in
            rows.append(row)
            if rows.count == count { throw ReadEnough() }
        }
    } catch is ReadEnough {}
    return rows
}

/// Stops a stream early.
private struct ReadEnough: Error {}
