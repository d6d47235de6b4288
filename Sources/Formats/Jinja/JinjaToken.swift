/// A token of a template: text between tags, the start or end of a tag, or a token inside a tag.
struct JinjaToken: Sendable {
    enum Kind: Sendable, Equatable {
        case text(String)
        case outputBegin, outputEnd, blockBegin, blockEnd
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        case symbol(String)
        case end

        /// How error messages name the token.
        var shown: String {
            switch self {
            case .text: "text"
            case .outputBegin: "'{{'"
            case .outputEnd: "the end of the print statement"
            case .blockBegin: "'{%'"
            case .blockEnd: "the end of the statement"
            case .name(let name): OneLine.quoted(name, limit: 40)
            case .string(let text): "the string " + OneLine.quoted(text, limit: 40)
            case .integer(let value): String(value)
            case .float(let value): String(value)
            case .symbol(let symbol): "'\(symbol)'"
            case .end: "the end of the template"
            }
        }
    }

    let kind: Kind
    let line: Int
}
