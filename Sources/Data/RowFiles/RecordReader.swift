import Formats
public import Foundation

/// The formats of row files.
public enum RowFormat: String, Sendable, CaseIterable {
    /// One JSON object per line (JSON Lines).
    case jsonLines
    /// One JSON array of objects.
    case jsonArray
    /// JSON objects one after the other, each spanning any number of lines.
    case jsonObjects
    /// Comma-separated values with a header (RFC 4180).
    case csv

    /// The supported file name extensions, each of which may be followed by `.gz`.
    public static let fileExtensions = ["jsonl", "ndjson", "json", "csv"]

    /// The format of a file, judged by its name; for `.json`, by the beginning of its content.
    /// - Throws: `FormatError.unreadable` if the extension is unknown or the file cannot be read, or `damagedArchive`.
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
                reason: "unknown file extension; expected .jsonl, .json or .csv, optionally followed by .gz")
        }
    }
}

extension RowFormat {
    /// The format of JSON text, judged by its beginning: an array, one object per line, or objects that span lines.
    /// Objects are taken as one per line unless the first line ends inside the first object.
    static func ofJSON(_ source: ByteSource) throws -> RowFormat {
        var depth = 0
        var isString = false
        var isEscaped = false
        var length = 0
        var chunk: [UInt8] = []
        while length <= 1 << 24, try source.read(into: &chunk) {
            for byte in chunk {
                if depth == 0, length == 0 {
                    // skip white space and a byte-order mark
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
    /// A record, or the problem that makes it invalid.
    enum Entry {
        case record(Record)
        case bad(RowProblem)
    }

    /// The location of the start of the record that `next` last returned.
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
    /// - Throws: `FormatError.unreadable` or `damagedArchive`; `malformedFile` for a CSV file without a usable header.
    convenience init(_ file: URL, format: RowFormat? = nil, limit: Int, mayLack: Set<String> = []) throws {
        let format = try format ?? .of(file)
        try self.init(try ByteSource(file: file), file: file.path, format: format, limit: limit, mayLack: mayLack)
    }

    /// Reads from a byte source; `file` is its name in locations.
    /// - Throws: As the initialiser for a file.
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

    /// The next record, valid or not; nil at the end of the file.
    /// - Parameter decoding: Whether the record is parsed. If false, only its location is determined, and the record is
    ///   empty.
    /// - Throws: `FormatError.malformedFile` if the rest cannot be split into records; `unreadable` or `commandFailed`.
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

    /// The column names, from the first record of a CSV file. One column may have an empty name, such as an index
    /// column.
    private static func header(_ reader: CSVReader, file: String) throws -> [String] {
        let location = RowLocation(file: file, line: reader.recordLine)
        switch try reader.next() {
        case nil:
            throw FormatError.malformedFile(
                location, "the file is empty; expected a header with the column names")
        case .bad(let problem): throw FormatError.badRow(RowLocation(file: file, line: reader.recordLine), problem)
        case .fields(let columns):
            // column names are compared by their bytes, not by Unicode equivalence
            var seen: Set<[UInt8]> = []
            for column in columns where !column.isEmpty && !seen.insert(Array(column.utf8)).inserted {
                throw FormatError.malformedFile(location, "the column \(OneLine.quoted(column)) appears twice in the header")
            }
            return columns
        }
    }
}
