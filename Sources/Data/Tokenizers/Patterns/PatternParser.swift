/// Parses regular expressions in the syntax of `tokenizer.json`, which is Oniguruma's Ruby syntax.
///
/// It differs from other syntaxes in details: `$` and `^` match at every line, `(?m:…)` lets the dot match newlines,
/// `\h` is a hexadecimal digit, and `{1,3}+` repeats the repetition. Unsupported syntax throws a ``Refusal`` that names
/// it: `\X`, `\K`, `\G`, named groups and references, subexpression calls, conditionals, absence operators, bytes and
/// octal numbers.
struct PatternParser {
    /// Why an expression cannot be parsed.
    struct Refusal: Error {
        /// What is wrong or not supported.
        var reason: String
        /// Whether the expression is invalid, rather than merely not supported.
        var isMalformed = false
    }

    private struct Options {
        var ignoresCase = false
        var pointMatchesNewline = false
        var isExtended = false
    }

    let scalars: [Unicode.Scalar]
    var position = 0
    private var depth = 0
    private var options = Options()
    private var groupCount = 0
    private var greatestReference = 0
    /// The category that was last parsed in a set.
    var lastSet = CharacterSet.all

    /// Parses an expression.
    ///
    /// - Throws: `Refusal`.
    static func parse(_ expression: String) throws -> PatternNode {
        var parser = PatternParser(scalars: Array(expression.unicodeScalars))
        let node = try parser.alternatives()
        if parser.position < parser.scalars.count { throw malformed("unmatched )") }
        if parser.greatestReference > parser.groupCount { throw malformed("\\\(parser.greatestReference) refers to a missing group") }
        return node
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    static func malformed(_ reason: String) -> Refusal { Refusal(reason: reason, isMalformed: true) }
    static func unsupported(_ part: String) -> Refusal { Refusal(reason: part) }

    // MARK: Text

    /// Consumes a text, if it is next.
    mutating func take(_ text: String) -> Bool {
        let wanted = text.unicodeScalars
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    /// Consumes the next scalar.
    mutating func next() throws -> Unicode.Scalar {
        guard position < scalars.count else { throw Self.malformed("unexpected end") }
        position += 1
        return scalars[position - 1]
    }

    /// Consumes a decimal number; nil if there is none.
    mutating func number() -> Int? {
        var digits = ""
        while position < scalars.count, ("0"..."9").contains(scalars[position]), digits.utf8.count < 7 {
            digits.unicodeScalars.append(scalars[position])
            position += 1
        }
        return Int(digits)
    }

    // MARK: Grammar

    /// Parses alternatives up to a closing parenthesis or the end.
    private mutating func alternatives() throws -> PatternNode {
        depth += 1
        let outer = options
        defer {
            depth -= 1
            options = outer
        }
        guard depth < 50 else { throw Self.unsupported("groups nested more than 50 deep") }
        var alternatives: [PatternNode] = []
        repeat {
            var nodes: [PatternNode] = []
            while position < scalars.count, scalars[position] != "|", scalars[position] != ")" {
                if let node = try item(after: nodes) { nodes.append(node) }
            }
            if options.ignoresCase { try Self.checkLigatures(nodes) }
            alternatives.append(nodes.count == 1 ? nodes[0] : .sequence(nodes))
        } while take("|")
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    /// Parses an atom with its quantifiers; nil for something without effect, such as a comment.
    private mutating func item(after nodes: [PatternNode]) throws -> PatternNode? {
        if options.isExtended, try skipSpace() { return nil }
        if take("(?#") {
            while try next() != ")" {}
            return nil
        }
        var node = try atom()
        var repetitions = 0
        while let (least, most, isInterval) = try quantifier() {
            if case .look = node { throw Self.unsupported("a repeated lookaround") }
            repetitions += 1
            guard repetitions < 4 else { throw Self.unsupported("more than three quantifiers in a row") }
            var greed = PatternNode.Greed.greedy
            var (least, most) = (least, most)
            if take("?") {
                if isInterval, least == most {
                    // `a{2}?` means two or none
                    node = .repetition(node, least: least, most: most, .greedy)
                    (least, most) = (0, 1)
                } else {
                    greed = .lazy
                }
            } else if !isInterval, take("+") {
                greed = .possessive
            }
            node = .repetition(node, least: least, most: most, greed)
        }
        return node
    }

    /// Skips white space or a comment in extended mode, `(?x)`. Returns whether there was any.
    private mutating func skipSpace() throws -> Bool {
        guard let scalar = scalars[position...].first else { return false }
        if scalar == "#" {
            while position < scalars.count, scalars[position] != "\n" { position += 1 }
            return true
        }
        guard [" ", "\t", "\n", "\r", "\u{B}", "\u{C}"].contains(scalar) else { return false }
        position += 1
        return true
    }

    /// Parses a quantifier; nil if there is none.
    private mutating func quantifier() throws -> (least: Int, most: Int?, isInterval: Bool)? {
        if take("?") { return (0, 1, false) }
        if take("*") { return (0, nil, false) }
        if take("+") { return (1, nil, false) }
        let start = position
        guard take("{") else { return nil }
        let least = number()
        let hasComma = take(",")
        let most = hasComma ? number() : least
        guard take("}"), least != nil || hasComma && most != nil else {
            // a literal brace, not an interval
            position = start
            return nil
        }
        let first = least ?? 0
        guard first <= 100_000, most ?? 0 <= 100_000 else { throw Self.malformed("a repetition count above 100000") }
        guard first <= most ?? .max else { throw Self.unsupported("a repetition whose bounds are in the wrong order") }
        return (first, most, true)
    }

    /// Parses an atom.
    private mutating func atom() throws -> PatternNode {
        let scalar = try next()
        switch scalar {
        case "(": return try group()
        case "[":
            let set = try bracket()
            return .set(set)
        case "$": return .lineEnd
        case "^": return .lineStart
        case ".": return .set(options.pointMatchesNewline ? .all : CharacterSet.newline.inverted)
        case "\\": return try escape()
        case "*", "+", "?": throw Self.malformed("a quantifier with nothing to repeat")
        default: return try literal(scalar.value)
        }
    }

    /// A single character, with all of its case variants if case is ignored.
    private func literal(_ value: UInt32) throws -> PatternNode {
        guard options.ignoresCase else { return .set(CharacterSet([value])) }
        if CaseFolding.becomesSeveral(value) { throw Self.unsupported("a case-insensitive character that folds to several") }
        return .set(CaseFolding.closure(of: CharacterSet([value])))
    }

    /// Rejects pairs of letters that, ignoring case, would also match a single character: `ss` matches ß, and `st` a
    /// ligature.
    private static func checkLigatures(_ nodes: [PatternNode]) throws {
        for (first, second) in zip(nodes, nodes.dropFirst()) {
            guard case .set(let left) = first, case .set(let right) = second else { continue }
            for pair in ["ss", "st", "ff", "fi", "fl"] {
                let values = pair.unicodeScalars.map(\.value)
                let sets = values.map { CaseFolding.closure(of: CharacterSet([$0])) }
                if left == sets[0], right == sets[1] { throw unsupported("case-insensitive \(pair), which also folds from one character,") }
            }
        }
    }

    /// Parses a group after its opening parenthesis.
    private mutating func group() throws -> PatternNode {
        guard take("?") else {
            groupCount += 1
            let number = groupCount
            return .group(try closed(), number: number)
        }
        switch try next() {
        case ":": return try closed()
        case ">": return .atomic(try closed())
        case "=": return .look(try closed(), isAhead: true, isNegated: false)
        case "!": return .look(try closed(), isAhead: true, isNegated: true)
        case "<":
            if take("=") { return .look(try closed(), isAhead: false, isNegated: false) }
            if take("!") { return .look(try closed(), isAhead: false, isNegated: true) }
            throw Self.unsupported("a named group")
        case let scalar:
            position -= 1
            guard ["i", "m", "x", "-"].contains(scalar) else { throw Self.unsupported("a group that begins with (?\(scalar)") }
            return try optionGroup()
        }
    }

    /// Parses `(?i-m:…)`, or `(?i)`, which applies to the rest of the enclosing group.
    private mutating func optionGroup() throws -> PatternNode {
        let outer = options
        var isOn = true
        while true {
            switch try next() {
            case "-": isOn = false
            case "i": options.ignoresCase = isOn
            case "m": options.pointMatchesNewline = isOn
            case "x": options.isExtended = isOn
            case ":":
                let node = try closed()
                options = outer
                return node
            case ")":
                let node = try alternatives()
                options = outer
                return node
            case let scalar: throw Self.unsupported("the group option \(scalar)")
            }
        }
    }

    /// Parses alternatives and the closing parenthesis.
    private mutating func closed() throws -> PatternNode {
        let node = try alternatives()
        guard take(")") else { throw Self.malformed("missing )") }
        return node
    }

    /// Parses an escape sequence outside brackets.
    private mutating func escape() throws -> PatternNode {
        let scalar = try next()
        switch scalar {
        case "A": return .textStart
        case "z": return .textEnd
        case "Z":
            let end = PatternNode.sequence([.repetition(.set(.newline), least: 0, most: 1, .greedy), .textEnd])
            return .look(end, isAhead: true, isNegated: false)
        case "b", "B": return .wordBoundary(isNegated: scalar == "B")
        case "N": return .set(CharacterSet.newline.inverted)
        case "O": return .set(.all)
        case "R":
            let carriage = PatternNode.set(CharacterSet([0x0D]))
            return .alternatives([
                .sequence([carriage, .set(.newline)]), .set(CharacterSet([0x0A...0x0C, 0x85...0x85, 0x2028...0x2029])),
                .sequence([carriage, .look(.set(.newline), isAhead: true, isNegated: true)]),
            ])
        case "1"..."9":
            position -= 1
            guard let number = number(), number < 100 else { throw Self.unsupported("an octal escape") }
            if options.ignoresCase { throw Self.unsupported("a case-insensitive back-reference") }
            greatestReference = max(greatestReference, number)
            return .reference(number)
        default:
            position -= 1
            switch try escaped() {
            case .single(let value): return try literal(value)
            case .set(let set): return .set(set)
            }
        }
    }

    /// A bracketed set, with all case variants if case is ignored.
    func folded(_ set: CharacterSet) throws -> CharacterSet {
        options.ignoresCase ? CaseFolding.closure(of: set) : set
    }
}
