public import Foundation

/// The formats of row files.
public enum RowFormat: String, Sendable, CaseIterable {
    /// One JSON object per line.
    case jsonLines
    /// One JSON array of objects.
    case jsonArray
    /// Comma-separated values with a header (RFC 4180).
    case csv

    /// The endings of file names that are read, without `.gz`, which may follow each.
    public static let fileExtensions = ["jsonl", "ndjson", "json", "csv"]

    /// The format of a file: by its name, `.json` by its first character.
    /// - Throws: `DataError.unreadable`, `commandFailed` (gzip).
    public static func of(_ file: URL) throws -> RowFormat {
        let name = file.pathExtension.lowercased() == "gz" ? file.deletingPathExtension() : file
        switch name.pathExtension.lowercased() {
        case "jsonl", "ndjson": return .jsonLines
        case "csv": return .csv
        case "json":
            let source = try ByteSource(file: file)
            defer { source.close() }
            var start: [UInt8] = []
            while try source.read(into: &start) {
                let mark: [UInt8] = [0xef, 0xbb, 0xbf]
                let text = start.starts(with: mark) ? start[3...] : start[...]
                if let first = text.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) {
                    return first == UInt8(ascii: "[") ? .jsonArray : .jsonLines
                }
                if start.count > 1 << 20 { break }
            }
            return .jsonLines
        default:
            throw DataError.unreadable(
                path: file.path,
                reason: "its name says no format; expected .jsonl, .json or .csv, or one of these with .gz")
        }
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
    /// - Throws: `DataError.unreadable`, `commandFailed`; `malformedFile` for a CSV file without a usable header.
    init(_ file: URL, format: RowFormat? = nil, limit: Int, mayLack: Set<String> = []) throws {
        self.limit = limit
        self.mayLack = mayLack
        location = RowLocation(file: file.path, line: 1)
        let format = try format ?? .of(file)
        let bytes = try ByteSource(file: file)
        switch format {
        case .jsonLines: source = .lines(LineReader(bytes, limit: limit))
        case .jsonArray: source = .array(JSONArrayReader(bytes, file: file.path, limit: limit))
        case .csv:
            let reader = CSVReader(bytes, file: file.path, limit: limit)
            source = .csv(reader, columns: try Self.header(reader, file: file.path))
        }
    }

    /// The next record, good or bad, or nil at the end.
    /// - Parameter decoding: Whether the record is parsed; without, only its place is found, and the record is empty.
    /// - Throws: `DataError.malformedFile` where no further record can be found; `unreadable`, `commandFailed`.
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
            throw DataError.malformedFile(
                location, "the file is empty; expected a header with the names of the columns")
        case .bad(let problem): throw DataError.badRow(RowLocation(file: file, line: reader.recordLine), problem)
        case .fields(let columns):
            var seen: Set<String> = []
            for column in columns where !column.isEmpty && !seen.insert(column).inserted {
                throw DataError.malformedFile(location, "the column \"\(column)\" is named twice in the header")
            }
            return columns
        }
    }
}
