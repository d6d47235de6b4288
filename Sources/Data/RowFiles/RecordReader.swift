import Formats
public import Foundation

/// The formats of row files.
public enum RowFormat: String, Sendable, CaseIterable {
    /// One JSON object per line.
    case jsonLines
    /// One JSON array of objects.
    case jsonArray
    /// JSON objects one after the other, each over any number of lines.
    case jsonObjects
    /// Comma-separated values with a header (RFC 4180).
    case csv

    /// The endings of file names that are read, without `.gz`, which may follow each.
    public static let fileExtensions = ["jsonl", "ndjson", "json", "csv"]

    /// The format of a file: by its name, `.json` by what it begins with.
    /// - Throws: `FormatError.unreadable`, `damagedArchive`.
    public static func of(_ file: URL) throws -> RowFormat {
        let name = file.pathExtension.lowercased() == "gz" ? file.deletingPathExtension() : file
        switch name.pathExtension.lowercased() {
        case "jsonl", "ndjson": return .jsonLines
        case "csv": return .csv
        case "json":
            let source = try ByteSource(file: file)
            defer { source.close() }
            return try ofJSON(source)
        default:
            throw FormatError.unreadable(
                path: file.path,
                reason: "its name says no format; expected .jsonl, .json or .csv, or one of these with .gz")
        }
    }
}

extension RowFormat {
    /// The format of JSON of which only the beginning is looked at: an array, or objects; these lie one in each line unless the first is
    /// not at its end where its first line is.
    static func ofJSON(_ source: ByteSource) throws -> RowFormat {
        var depth = 0
        var isString = false
        var isEscaped = false
        var length = 0
        var chunk: [UInt8] = []
        while length <= 1 << 24, try source.read(into: &chunk) {
            for byte in chunk {
                if depth == 0, length == 0 {
                    // white space and a byte-order mark
                    if OneLine.isSpace(byte) || [0xef, 0xbb, 0xbf].contains(byte) { continue }
                    guard byte == UInt8(ascii: "{") else { return byte == UInt8(ascii: "[") ? .jsonArray : .jsonLines }
                }
                length += 1
                switch byte {
                case 0x0a, 0x0d: return depth > 0 && !isString ? .jsonObjects : .jsonLines
                case _ where isEscaped: isEscaped = false
                case UInt8(ascii: "\\") where isString: isEscaped = true
                case UInt8(ascii: "\""): isString.toggle()
                case UInt8(ascii: "{") where !isString, UInt8(ascii: "[") where !isString: depth += 1
                case UInt8(ascii: "}") where !isString, UInt8(ascii: "]") where !isString: depth -= 1
                default: break
                }
            }
            chunk.removeAll(keepingCapacity: true)
        }
        return .jsonLines
    }
}

/// Reads a row file of any format record by record.
final class RecordReader {
    enum Entry {
        case record(Record)
        case bad(RowProblem)
    }

    /// Where the record that `next` gave last begins.
    private(set) var location: RowLocation
    private let source: Source
    private let limit: Int
    private let mayLack: Set<String>

    private enum Source {
        case lines(LineReader)
        case array(JSONArrayReader)
        case csv(CSVReader, columns: [String])
    }

    /// Opens a file.
    /// - Throws: `FormatError.unreadable`, `damagedArchive`; `malformedFile` for a CSV file without a usable header.
    convenience init(_ file: URL, format: RowFormat? = nil, limit: Int, mayLack: Set<String> = []) throws {
        let format = try format ?? .of(file)
        try self.init(try ByteSource(file: file), file: file.path, format: format, limit: limit, mayLack: mayLack)
    }

    /// Reads from a source.
    init(_ bytes: ByteSource, file: String, format: RowFormat, limit: Int, mayLack: Set<String> = []) throws {
        self.limit = limit
        self.mayLack = mayLack
        location = RowLocation(file: file, line: 1)
        switch format {
        case .jsonLines: source = .lines(LineReader(bytes, limit: limit))
        case .jsonArray, .jsonObjects:
            source = .array(JSONArrayReader(bytes, file: file, limit: limit, isArray: format == .jsonArray))
        case .csv:
            let reader = CSVReader(bytes, file: file, limit: limit)
            source = .csv(reader, columns: try Self.header(reader, file: file))
        }
    }

    /// The next record, good or bad, or nil at the end.
    /// - Parameter decoding: Whether the record is parsed; without, only its place is found, and the record is empty.
    /// - Throws: `FormatError.malformedFile` where no further record can be found; `unreadable`, `commandFailed`.
    func next(decoding: Bool = true) throws -> Entry? {
        switch source {
        case .lines(let lines):
            while let line = try lines.next() {
                location.line = lines.lineNumber
                switch line {
                case .tooLong: return .bad(.tooLong(limit: limit))
                case .text(let bytes):
                    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
                    return json(bytes, decoding)
                }
            }
            return nil
        case .array(let elements):
            guard let element = try elements.next() else { return nil }
            location.line = elements.elementLine
            switch element {
            case .tooLong: return .bad(.tooLong(limit: limit))
            case .text(let bytes): return json(bytes, decoding)
            }
        case .csv(let reader, let columns):
            guard let result = try reader.next() else { return nil }
            location.line = reader.recordLine
            switch result {
            case .bad(let problem): return .bad(problem)
            case .fields(let cells):
                guard cells.count == columns.count else {
                    return .bad(.wrongNumberOfFields(got: cells.count, expected: columns.count))
                }
                return .record(Record(columns: columns, cells: cells, mayLack: mayLack))
            }
        }
    }

    private func json(_ bytes: [UInt8], _ decoding: Bool) -> Entry {
        guard decoding else { return .record(Record(columns: [], cells: [])) }
        do {
            return .record(try Record(json: bytes, mayLack: mayLack))
        } catch {
            return .bad(error)
        }
    }

    /// The first record of a CSV file. An index column without a name is allowed.
    private static func header(_ reader: CSVReader, file: String) throws -> [String] {
        let location = RowLocation(file: file, line: reader.recordLine)
        switch try reader.next() {
        case nil:
            throw FormatError.malformedFile(
                location, "the file is empty; expected a header with the names of the columns")
        case .bad(let problem): throw FormatError.badRow(RowLocation(file: file, line: reader.recordLine), problem)
        case .fields(let columns):
            // names that look the same and differ in their bytes are two columns
            var seen: Set<[UInt8]> = []
            for column in columns where !column.isEmpty && !seen.insert(Array(column.utf8)).inserted {
                throw FormatError.malformedFile(location, "the column \(OneLine.quoted(column)) is named twice in the header")
            }
            return columns
        }
    }
}
