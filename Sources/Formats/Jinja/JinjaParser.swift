/// Recursive-descent parser for templates. This file parses expressions; extensions parse statements and postfix operators.
struct JinjaParser {
    private let tokens: [JinjaToken]
    private var index = 0
    /// The number of brackets and blocks around the current token.
    private var nesting = 0
    /// Whether the template contains a `{% generation %}` block.
    var marksGenerations = false
    /// The number of loops around the current token that `break` and `continue` may refer to.
    var loops = 0
    /// The names that the enclosing macro's body refers to.
    var namesUsed: Set<String> = []

    init(_ source: String) throws {
        guard source.utf8.count <= JinjaLimits.source else {
            throw JinjaError(.limit, line: 1, "the template has \(source.utf8.count) bytes; at most \(JinjaLimits.source) are supported")
        }
        tokens = try JinjaLexer.tokens(of: source)
    }

    // MARK: Tokens

    var current: JinjaToken { tokens[index] }
    var line: Int { current.line }

    func peek() -> JinjaToken { tokens[min(index + 1, tokens.count - 1)] }

    @discardableResult
    mutating func next() -> JinjaToken {
        let token = tokens[index]
        if index + 1 < tokens.count { index += 1 }
        return token
    }

    func isName(_ name: String) -> Bool { current.kind == .name(name) }
    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        next()
        return true
    }

    mutating func skip(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        next()
        return true
    }

    mutating func expect(_ kind: JinjaToken.Kind) throws {
        guard current.kind == kind else { throw fault("expected \(kind.shown), found \(current.kind.shown)") }
        next()
    }

    mutating func expect(_ symbol: String) throws { try expect(.symbol(symbol)) }

    mutating func expectName() throws -> String {
        guard case .name(let name) = current.kind else { throw fault("expected a name, found \(current.kind.shown)") }
        next()
        return name
    }

    func fault(_ reason: String, line: Int? = nil) -> JinjaError { JinjaError(.syntax, line: line ?? self.line, reason) }

    /// Runs `body` one nesting level deeper; throws an error of kind `limit` beyond the maximum.
    mutating func nested<Result>(_ body: (inout JinjaParser) throws -> Result) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= JinjaLimits.nesting else {
            throw JinjaError(.limit, line: line, "more than \(JinjaLimits.nesting) nested brackets and blocks")
        }
        return try body(&self)
    }

    // MARK: Expressions

    mutating func expression(withCondition: Bool = true) throws -> JinjaExpression {
        try nested { try withCondition ? $0.conditional() : $0.disjunction() }
    }

    private mutating func conditional() throws -> JinjaExpression {
        let line = line
        var value = try disjunction()
        while skip(name: "if") {
            let test = try disjunction()
            let otherwise = skip(name: "else") ? try nested { try $0.conditional() } : nil
            value = try JinjaExpression(
                .conditional(test: test, then: value, otherwise: otherwise), line: line, [value, test, otherwise])
        }
        return value
    }

    private mutating func disjunction() throws -> JinjaExpression {
        var left = try conjunction()
        while isName("or") {
            let line = next().line
            let right = try conjunction()
            left = try JinjaExpression(.or(left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func conjunction() throws -> JinjaExpression {
        var left = try negation()
        while isName("and") {
            let line = next().line
            let right = try negation()
            left = try JinjaExpression(.and(left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func negation() throws -> JinjaExpression {
        guard isName("not") else { return try comparison() }
        let line = next().line
        let value = try nested { try $0.negation() }
        return try JinjaExpression(.not(value), line: line, [value])
    }

    private mutating func comparison() throws -> JinjaExpression {
        let line = line
        let first = try sum()
        var operands: [(comparison: JinjaOperator, operand: JinjaExpression)] = []
        while true {
            let comparison: JinjaOperator
            if case .symbol(let symbol) = current.kind, ["==", "!=", "<", "<=", ">", ">="].contains(symbol),
                let known = JinjaOperator(rawValue: symbol)
            {
                comparison = known
            } else if isName("in") {
                comparison = .contained
            } else if isName("not"), peek().kind == .name("in") {
                next()
                comparison = .notContained
            } else {
                break
            }
            next()
            operands.append((comparison, try sum()))
        }
        if operands.isEmpty { return first }
        return try JinjaExpression(.compare(first, operands), line: line, [first] + operands.map(\.operand))
    }

    private mutating func binary(
        _ symbols: [String], _ operand: (inout JinjaParser) throws -> JinjaExpression
    ) throws -> JinjaExpression {
        var left = try operand(&self)
        while case .symbol(let symbol) = current.kind, symbols.contains(symbol), let operation = JinjaOperator(rawValue: symbol) {
            let line = next().line
            let right = try operand(&self)
            left = try JinjaExpression(.binary(operation, left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func sum() throws -> JinjaExpression { try binary(["+", "-"]) { try $0.concatenation() } }

    private mutating func concatenation() throws -> JinjaExpression {
        let line = line
        var parts = [try product()]
        while skip("~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try JinjaExpression(.concat(parts), line: line, parts)
    }

    private mutating func product() throws -> JinjaExpression {
        try binary(["*", "/", "//", "%"]) { try $0.binary(["**"]) { try $0.unary() } }
    }

    private mutating func unary(withFilter: Bool = true) throws -> JinjaExpression {
        let line = line
        var value: JinjaExpression
        if isSymbol("-") || isSymbol("+") {
            let operation = next().kind == .symbol("-") ? JinjaOperator.subtract : .add
            let operand = try nested { try $0.unary(withFilter: false) }
            value = try JinjaExpression(.unary(operation, operand), line: line, [operand])
        } else {
            value = try primary()
        }
        value = try postfix(value)
        return withFilter ? try filters(value) : value
    }

    mutating func primary() throws -> JinjaExpression {
        let token = next()
        let line = token.line
        switch token.kind {
        case .name("true"), .name("True"): return try JinjaExpression(.bool(true), line: line)
        case .name("false"), .name("False"): return try JinjaExpression(.bool(false), line: line)
        case .name("none"), .name("None"): return try JinjaExpression(.none, line: line)
        case .name(let name):
            guard let first = name.unicodeScalars.first, first == "_" || PythonText.isLetter(first) else {
                throw fault("\(OneLine.quoted(name)) is not a valid name", line: line)
            }
            namesUsed.insert(name)
            return try JinjaExpression(.name(name), line: line)
        case .string(var text):
            while case .string(let more) = current.kind {
                text += more
                next()
            }
            return try JinjaExpression(.string(text), line: line)
        case .integer(let value): return try JinjaExpression(.int(value), line: line)
        case .float(let value): return try JinjaExpression(.float(value), line: line)
        case .symbol("("):
            let value = try nested { try $0.tuple(inParentheses: true) }
            try expect(")")
            return value
        case .symbol("["):
            var elements: [JinjaExpression] = []
            while !isSymbol("]") {
                if !elements.isEmpty { try expect(",") }
                if isSymbol("]") { break }
                elements.append(try expression())
            }
            try expect("]")
            return try JinjaExpression(.list(elements), line: line, elements)
        case .symbol("{"):
            var members: [(key: JinjaExpression, value: JinjaExpression)] = []
            while !isSymbol("}") {
                if !members.isEmpty { try expect(",") }
                if isSymbol("}") { break }
                let key = try expression()
                try expect(":")
                members.append((key, try expression()))
            }
            try expect("}")
            return try JinjaExpression(.dict(members), line: line, members.flatMap { [$0.key, $0.value] })
        default:
            throw fault("unexpected \(token.kind.shown)", line: line)
        }
    }

    /// Parses a comma-separated tuple, or one expression without a comma.
    mutating func tuple(
        inParentheses: Bool = false, withCondition: Bool = true, until end: String? = nil
    ) throws -> JinjaExpression {
        let line = line
        var elements: [JinjaExpression] = []
        var isTuple = false
        while true {
            if !elements.isEmpty { try expect(",") }
            if isTupleEnd(until: end) { break }
            elements.append(try expression(withCondition: withCondition))
            guard isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple, let only = elements.first { return only }
        guard isTuple || inParentheses else { throw fault("expected an expression, found \(current.kind.shown)") }
        return try JinjaExpression(.tuple(elements), line: line, elements)
    }

    func isTupleEnd(until end: String?) -> Bool {
        switch current.kind {
        case .outputEnd, .blockEnd, .symbol(")"): true
        case .name(let name): name == end
        default: false
        }
    }
}
