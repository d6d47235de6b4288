/// A piece of a template: text between tags, the bounds of a tag, or a word of what stands in one.
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

        /// What it is called in messages.
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

/// Cuts a template into tokens, with white space as Transformers has Jinja treat it: the newline behind a statement or comment goes
/// (`trim_blocks`), and so does white space before one that begins a line (`lstrip_blocks`); `-` takes all white space, `+` keeps it.
struct JinjaLexer {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [JinjaToken] = []
    /// Whether the last token ended with a newline, or is the first.
    private var startsLine = true

    /// All tokens of a source, the last of them `end`.
    static func tokens(of source: String) throws -> [JinjaToken] {
        var lexer = JinjaLexer(source)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var endsWithReturn = false
        for scalar in text.unicodeScalars {
            if scalar == "\n", endsWithReturn {
                endsWithReturn = false
                continue
            }
            endsWithReturn = scalar == "\r"
            scalars.append(endsWithReturn ? "\n" : scalar)
        }
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    private func has(_ text: String, at index: Int) -> Bool {
        var index = index
        for scalar in text.unicodeScalars {
            guard index < source.count, source[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private func skippingSpace(from index: Int) -> Int {
        var index = index
        while index < source.count, PythonText.isSpace(source[index]) { index += 1 }
        return index
    }

    private mutating func move(to index: Int) {
        for scalar in source[position..<index] where scalar == "\n" { line += 1 }
        if index > position { startsLine = source[index - 1] == "\n" }
        position = index
    }

    private mutating func add(_ kind: JinjaToken.Kind) { tokens.append(JinjaToken(kind: kind, line: line)) }

    private mutating func run() throws {
        while position < source.count {
            var start = position
            while start < source.count,
                !(source[start] == "{" && start + 1 < source.count && "%{#".unicodeScalars.contains(source[start + 1]))
            {
                start += 1
            }
            guard start < source.count else {
                addText(source[position...])
                move(to: source.count)
                break
            }
            let sign = sign(at: start + 2)
            addText(stripped(position..<start, sign: sign, isOutput: source[start + 1] == "{"))
            let content = start + 2 + (sign == nil ? 0 : 1)
            if source[start + 1] == "#" {
                try comment(from: start, content)
            } else if source[start + 1] == "%", let raw = rawBegin(at: content) {
                try self.raw(from: start, raw)
            } else {
                let isOutput = source[start + 1] == "{"
                move(to: start)
                add(isOutput ? .outputBegin : .blockBegin)
                move(to: content)
                try tag(isOutput: isOutput)
            }
        }
        add(.end)
    }

    private func sign(at index: Int) -> Unicode.Scalar? {
        index < source.count && (source[index] == "-" || source[index] == "+") ? source[index] : nil
    }

    private mutating func addText(_ text: ArraySlice<Unicode.Scalar>) {
        if text.isEmpty { return }
        add(.text(PythonText.string(text)))
    }

    /// Text before a tag, without what the tag takes of it.
    private func stripped(_ range: Range<Int>, sign: Unicode.Scalar?, isOutput: Bool) -> ArraySlice<Unicode.Scalar> {
        var text = source[range]
        if sign == "-" {
            while let last = text.last, PythonText.isSpace(last) { text.removeLast() }
        } else if sign != "+", !isOutput {
            let lineStart = text.lastIndex(of: "\n").map { $0 + 1 }
            if lineStart != nil || startsLine {
                let start = lineStart ?? text.startIndex
                if text[start...].allSatisfy(PythonText.isSpace) { text = text[..<start] }
            }
        }
        return text
    }

    private mutating func comment(from start: Int, _ content: Int) throws {
        move(to: start)
        var end = content
        while end < source.count, !has("#}", at: end), !has("-#}", at: end), !has("+#}", at: end) { end += 1 }
        guard end < source.count else { throw JinjaError(.syntax, line: line, "a comment without its end '#}'") }
        move(to: behindEnd(at: end, "#}"))
    }

    /// Where the text behind the end of a comment or statement begins, by the mark in front of it.
    private func behindEnd(at index: Int, _ end: String) -> Int {
        switch source[index] {
        case "-": skippingSpace(from: index + 1 + end.count)
        case "+": index + 1 + end.count
        default: has("\n", at: index + end.count) ? index + end.count + 1 : index + end.count
        }
    }

    private func rawBegin(at index: Int) -> Int? {
        var index = skippingSpace(from: index)
        guard has("raw", at: index) else { return nil }
        index = skippingSpace(from: index + 3)
        if has("-%}", at: index) { return skippingSpace(from: index + 3) }
        return has("%}", at: index) ? index + 2 : nil
    }

    private mutating func raw(from start: Int, _ content: Int) throws {
        move(to: content)
        var index = content
        while index < source.count {
            defer { index += 1 }
            guard has("{%", at: index) else { continue }
            let sign = sign(at: index + 2)
            var end = skippingSpace(from: index + 2 + (sign == nil ? 0 : 1))
            guard has("endraw", at: end) else { continue }
            end = skippingSpace(from: end + 6)
            guard has("%}", at: end) || has("-%}", at: end) || has("+%}", at: end) else { continue }
            addText(stripped(content..<index, sign: sign, isOutput: false))
            move(to: behindEnd(at: end, "%}"))
            return
        }
        throw JinjaError(.syntax, line: line, "\"raw\" without its \"endraw\"")
    }

    // MARK: Within a tag

    private static let symbols = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",",
        ";",
    ]

    private mutating func tag(isOutput: Bool) throws {
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
                        throw JinjaError(.syntax, line: line, "'\(symbol)' without its opening bracket")
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

    private mutating func number() throws {
        var index = position
        func digits(_ isDigit: (Unicode.Scalar) -> Bool) -> Bool {
            let first = index
            while index < source.count {
                if isDigit(source[index]) {
                    index += 1
                } else if source[index] == "_", index > first, index + 1 < source.count, isDigit(source[index + 1]) {
                    index += 1
                } else {
                    break
                }
            }
            return index > first
        }
        func isDecimal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
        if source[index] == "0", index + 1 < source.count,
            let radix = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2][String(source[index + 1])]
        {
            index += 2
            func isDigit(_ scalar: Unicode.Scalar) -> Bool {
                scalar.isASCII && (Character(scalar).hexDigitValue ?? 99) < radix
            }
            if digits(isDigit) {
                let text = PythonText.string(source[(position + 2)..<index]).filter { $0 != "_" }
                guard let value = Int(text, radix: radix) else { throw tooLarge(text) }
                add(.integer(value))
                move(to: index)
                return
            }
            index = position
        }
        _ = digits(isDecimal)
        var isFloat = false
        let whole = index
        // a number behind a point is the index of an item
        if !(position > 0 && source[position - 1] == ".") {
            if has(".", at: index), index + 1 < source.count, isDecimal(source[index + 1]) {
                index += 1
                isFloat = digits(isDecimal)
            }
            let mantissa = index
            if has("e", at: index) || has("E", at: index) {
                index += 1
                if has("+", at: index) || has("-", at: index) { index += 1 }
                if digits(isDecimal) { isFloat = true } else { index = mantissa }
            }
        }
        let text = PythonText.string(source[position..<index]).filter { $0 != "_" }
        if isFloat {
            add(.float(Double(text) ?? .infinity))
        } else {
            index = whole
            guard text == "0" || !text.hasPrefix("0") || text.allSatisfy({ $0 == "0" }) else {
                throw JinjaError(.syntax, line: line, "a number with a leading zero")
            }
            guard let value = Int(text) else { throw tooLarge(text) }
            add(.integer(value))
        }
        move(to: index)
    }

    private func tooLarge(_ text: String) -> JinjaError {
        JinjaError(.unsupported, line: line, "the number \(text.prefix(40)) has more than 64 bits")
    }

    private mutating func string(quote: Unicode.Scalar) throws {
        var text = String.UnicodeScalarView()
        var index = position + 1
        while index < source.count, source[index] != quote {
            if source[index] == "\\" {
                index += 1
                index = try escape(at: index, into: &text)
            } else {
                text.append(source[index])
                index += 1
            }
        }
        guard index < source.count else { throw JinjaError(.syntax, line: line, "a string without its end") }
        add(.string(String(text)))
        move(to: index + 1)
    }

    /// Reads what follows a backslash, as Python does.
    private func escape(at index: Int, into text: inout String.UnicodeScalarView) throws -> Int {
        guard index < source.count else { throw JinjaError(.syntax, line: line, "a string without its end") }
        func hexadecimal(_ count: Int) throws -> Int {
            let digits = source[(index + 1)..<min(source.count, index + 1 + count)]
            guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
                let scalar = UInt32(PythonText.string(digits), radix: 16).flatMap(Unicode.Scalar.init)
            else { throw JinjaError(.syntax, line: line, "an escape in a string that is no character") }
            text.append(scalar)
            return index + 1 + count
        }
        let scalar = source[index]
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}",
        ]
        switch scalar {
        case _ where simple[scalar] != nil: text.append(simple[scalar] ?? scalar)
        case "\n": break
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        case "U": return try hexadecimal(8)
        case "N": throw JinjaError(.unsupported, line: line, "a character by its name (\\N{…}) in a string")
        case "0"..."7":
            var end = index
            var value: UInt32 = 0
            while end < source.count, end < index + 3, ("0"..."7").contains(source[end]) {
                value = value * 8 + source[end].value - 48
                end += 1
            }
            if let scalar = Unicode.Scalar(value) { text.append(scalar) }
            return end
        default:
            text.append("\\")
            text.append(scalar)
        }
        return index + 1
    }
}
