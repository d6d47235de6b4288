/// Splits a template into tokens. Whitespace is handled with the settings that Transformers uses: the newline after a statement
/// or comment is removed (`trim_blocks`), and so is the whitespace before one that starts a line (`lstrip_blocks`). `-` removes
/// all adjacent whitespace; `+` keeps it.
struct JinjaLexer {
    let source: [Unicode.Scalar]
    var position = 0
    var line = 1
    private var tokens: [JinjaToken] = []
    /// Whether the next token starts a line: the last token ended with a newline, or there is none yet.
    private var startsLine = true

    /// All tokens of a source. The last one is `end`.
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

    func has(_ text: String, at index: Int) -> Bool {
        var index = index
        for scalar in text.unicodeScalars {
            guard index < source.count, source[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    func skippingSpace(from index: Int) -> Int {
        var index = index
        while index < source.count, PythonText.isSpace(source[index]) { index += 1 }
        return index
    }

    mutating func move(to index: Int) {
        for scalar in source[position..<index] where scalar == "\n" { line += 1 }
        if index > position { startsLine = source[index - 1] == "\n" }
        position = index
    }

    mutating func add(_ kind: JinjaToken.Kind) { tokens.append(JinjaToken(kind: kind, line: line)) }

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

    /// The text before a tag, without the trailing whitespace that the tag removes.
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
        guard end < source.count else { throw JinjaError(.syntax, line: line, "an unterminated comment; expected '#}'") }
        move(to: behindEnd(at: end, "#}"))
    }

    /// The index at which the text after a comment or statement starts. `index` is that of the end marker or of the sign before
    /// it.
    func behindEnd(at index: Int, _ end: String) -> Int {
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
        throw JinjaError(.syntax, line: line, "\"raw\" without \"endraw\"")
    }
}
