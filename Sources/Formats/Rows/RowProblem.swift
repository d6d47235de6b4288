/// An error in one row of a data file.
public enum RowProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// The row is not valid JSON (or CSV). The text says what is wrong and where in the row.
    case malformed(String)
    /// The row contains bytes that are not valid UTF-8.
    case invalidUTF8
    /// The row exceeds the maximum size, in bytes.
    case tooLong(limit: Int)
    /// A required field is missing or null.
    case missingField(String)
    /// A field has a different type from the expected one.
    case wrongType(field: String, expected: String, got: String)
    /// A CSV record has a different number of fields from the header.
    case wrongNumberOfFields(got: Int, expected: Int)
    /// A number is not an integer or is out of range. The expected range and the value are given as text.
    case wrongNumber(field: String, expected: String, got: String)
    /// The row is valid but unsuitable for its purpose. The text says why.
    case unfit(String)

    /// The error message, on one line.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .malformed(let what): "malformed row: \(what)"
        case .invalidUTF8: "the row is not valid UTF-8; convert the file, for example with iconv"
        case .tooLong(let limit): "the row is longer than \(limit) bytes; raise the limit if this is intended"
        case .missingField(let name): "field \"\(name)\" is missing"
        case .wrongType(let field, let expected, let got): "field \"\(field)\" must be \(expected), not \(got)"
        case .wrongNumberOfFields(let got, let expected):
            "the record has \(got) fields, but the header has \(expected)"
        case .wrongNumber(let field, let expected, let got): "field \"\(field)\" must be \(expected), not \(got)"
        case .unfit(let what): what
        }
    }
}
