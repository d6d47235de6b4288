/// Lexing of the tokens inside a tag, up to the end of the tag.
extension JinjaLexer {
    private static let symbols = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",",
        ";",
    ]

    mutating func tag(isOutput: Bool) throws {
        var open: [String] = []
        let end = isOutput ? "}}" : "%}"
        while position < source.count {
            if open.isEmpty {
                if has(end, at: position) || has("-" + end, at: position) || (!isOutput && has("+" + end, at: position)) {
                    add(isOutput ? .outputEnd : .blockEnd)
                    if isOutput, source[position] != "-" {
                        move(to: position + 2)
                    } else {
                        move(to: behindEnd(at: position, end))
                    }
                    return
                }
            }
            let scalar = source[position]
            if PythonText.isSpace(scalar) {
                move(to: skippingSpace(from: position))
            } else if scalar == "'" || scalar == "\"" {
                try string(quote: scalar)
            } else if ("0"..."9").contains(scalar) {
                try number()
            } else if PythonText.isWord(scalar) {
                var index = position
                while index < source.count, PythonText.isWord(source[index]) { index += 1 }
                let name = PythonText.string(source[position..<index])
                add(.name(name))
                move(to: index)
            } else if let symbol = Self.symbols.first(where: { has($0, at: position) }) {
                switch symbol {
                case "(", "[", "{": open.append(symbol)
                case ")", "]", "}":
                    let wanted = open.popLast()
                    guard wanted == (symbol == ")" ? "(" : symbol == "]" ? "[" : "{") else {
                        throw JinjaError(.syntax, line: line, "'\(symbol)' without an opening bracket")
                    }
                default: break
                }
                add(.symbol(symbol))
                move(to: position + symbol.count)
            } else {
                throw JinjaError(.syntax, line: line, "an unexpected character \(OneLine.quoted(String(scalar)))")
            }
        }
    }
}
