internal import Formats
internal import Foundation

/// Encoding of results as readable JSON.
package enum ResultJSON {
    /// The JSON of a result, indented, with sorted keys and a newline at the end.
    /// - Throws: `ResultError.notFinite` with the path of the first NaN or infinity.
    package static func text(of result: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try String(decoding: encoder.encode(result), as: UTF8.self) + "\n"
        } catch EncodingError.invalidValue(_, let context) {
            throw ResultError.notFinite(context.codingPath.map(\.stringValue).joined(separator: "."))
        }
    }
}

/// An error in a summary or another result.
public enum ResultError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A number is NaN or infinite. The value is its path in the result.
    case notFinite(String)
    /// No row of a table has the column that a comparison needs.
    case missingColumn(String, table: String, path: String)
    /// A table has no rows.
    case noRows(path: String)
    /// A table ends before it has all responses to a prompt.
    case endsEarly(path: String, prompt: String, rows: Int, expected: Int)

    /// The error message, on one line.
    public var description: String {
        switch self {
        case .notFinite(let path): "the result \(path) is NaN or Inf; check the stage that measured it"
        case .missingColumn(let column, let table, let path):
            "no row of the table \(table) of \(path) has a \"\(column)\", which the comparison needs; choose another run, or sample again"
        case .noRows(let path): "\(path) has no rows; expected responses with their prompts; choose another run, or sample again"
        case .endsEarly(let path, let prompt, let rows, let expected):
            "\(path) ends early: its last prompt (\(prompt)) has \(Counted(rows, "row")), expected \(expected); "
                + "restore the file, or sample again"
        }
    }
}
