/// What is wrong with one row of a data file.
public enum RowProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not JSON (or not CSV); the text says what was met and where in the row.
    case malformed(String)
    /// A byte sequence that is not UTF-8.
    case invalidUTF8
    /// A row longer than the reader accepts, in bytes.
    case tooLong(limit: Int)
    /// A field that must be there and is not (or is null).
    case missingField(String)
    /// A field of another type than expected.
    case wrongType(field: String, expected: String, got: String)
    /// A CSV record with more or fewer fields than the header.
    case wrongNumberOfFields(got: Int, expected: Int)
    /// A number that is not whole, or out of the range of its field; both as texts.
    case wrongNumber(field: String, expected: String, got: String)
    /// A row that is sound, and not what it is read for; in words.
    case unfit(String)

    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .malformed(let what): "malformed row: \(what)"
        case .invalidUTF8: "the row is not valid UTF-8; convert the file, for example with iconv"
        case .tooLong(let limit): "the row is longer than \(limit) bytes; raise the limit if that is intended"
        case .missingField(let name): "field \"\(name)\" is missing"
        case .wrongType(let field, let expected, let got): "field \"\(field)\" must be \(expected), not \(got)"
        case .wrongNumberOfFields(let got, let expected):
            "the record has \(got) fields, the header has \(expected)"
        case .wrongNumber(let field, let expected, let got): "field \"\(field)\" must be \(expected), not \(got)"
        case .unfit(let what): what
        }
    }
}
