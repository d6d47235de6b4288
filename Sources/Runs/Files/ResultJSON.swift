internal import Foundation

/// Results as JSON that people read, too.
enum ResultJSON {
    /// The text of a result, with sorted keys and a newline at the end.
    /// - Throws: `SummaryError.notFinite` with the path of the first number that JSON cannot hold.
    static func text(of result: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try String(decoding: encoder.encode(result), as: UTF8.self) + "\n"
        } catch EncodingError.invalidValue(_, let context) {
            throw SummaryError.notFinite(context.codingPath.map(\.stringValue).joined(separator: "."))
        }
    }
}
