package import Formats
package import Foundation

/// Reads the rows of a JSON file whose name says nothing: an array of objects, one object in each line, or objects over any number of
/// lines, plain or gzip.
package enum RecordList {
    /// The longest row, in bytes.
    private static let limit = 1 << 28

    /// Calls `body` with each row, good or bad, and its place: `file:line`, or `file: object 3` in an array.
    /// - Throws: `FormatError.unreadable`, `damagedArchive`; `malformedFile` where no further row can be found; whatever
    ///   `body` throws.
    package static func readEach(_ url: URL, _ body: (Result<Record, RowProblem>, String) throws -> Void) throws {
        try readEach(name: url.path, { try ByteSource(file: url) }, body)
    }

    /// The same from memory; `name` stands for the file.
    package static func readEach(
        _ bytes: [UInt8], name: String, _ body: (Result<Record, RowProblem>, String) throws -> Void
    ) throws {
        try readEach(name: name, { ByteSource(bytes: bytes) }, body)
    }

    private static func readEach(
        name: String, _ open: () throws -> ByteSource, _ body: (Result<Record, RowProblem>, String) throws -> Void
    ) throws {
        let format = try RowFormat.ofJSON(open())
        let reader = try RecordReader(open(), file: name, format: format, limit: limit)
        var number = 0
        while let entry = try reader.next() {
            number += 1
            let place = format == .jsonArray ? "\(name): object \(number)" : reader.location.description
            switch entry {
            case .record(let record): try body(.success(record), place)
            case .bad(let problem): try body(.failure(problem), place)
            }
        }
    }
}
