package import Formats
package import Foundation

/// Reads the rows of a JSON file, whatever its name: an array of objects, one object per line, or objects that span any
/// number of lines; plain or gzip-compressed.
package enum RecordList {
    /// The maximum size of a row, in bytes.
    private static let limit = 1 << 28

    /// Calls `body` with each row, valid or not, and its location: `file:line`, or `file: object 3` in an array.
    /// - Throws: `FormatError.unreadable` or `damagedArchive`; `malformedFile` if the rest cannot be split into rows;
    ///   whatever `body` throws.
    package static func readEach(_ url: URL, _ body: (Result<Record, RowProblem>, String) throws -> Void) throws {
        try readEach(name: url.path, { try ByteSource(file: url) }, body)
    }

    /// Reads rows from memory; `name` is used instead of a file name in locations.
    /// - Throws: As the function for a file.
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
