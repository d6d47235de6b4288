/// A regular expression of the kind that tokenizers split texts with: characters, sets of them, repetitions, alternatives.
///
/// It is written as a program for a machine that follows all ways through it at once, so that no text takes more than its length
/// times that of the program. What else expressions can ask for (groups that repeat, references, lazy and possessive repetition, scripts)
/// is not here, and neither are expressions that match nothing at all.
struct CharacterPattern: Sendable, Equatable {
    /// A step of the program.
    enum Step: Sendable, Equatable {
        case character(CharacterSet)
        /// Goes on at the first place, or, if that leads nowhere, at the second.
        case fork(Int, Int)
        case jump(Int)
        /// Whether the next character is in a set; the end of the text is in none.
        case ahead(CharacterSet, isNegated: Bool)
        /// The end of the text or of a line, the beginning of the text or of a line.
        case lineEnd, lineStart
        case match
    }

    /// The steps.
    private(set) var program: [Step] = []

    /// Longer programs are refused.
    private static let stepLimit = 2000

    /// Reads an expression; nil if it has what is not here.
    init?(_ expression: String) {
        var parser = CharacterPatternParser(expression)
        guard let node = parser.expression(), parser.isAtEnd, node.leastLength > 0 else { return nil }
        guard append(node), program.count < Self.stepLimit else { return nil }
        program.append(.match)
    }

    /// Appends the steps of a node; `false` once they are too many.
    private mutating func append(_ node: CharacterPatternParser.Node) -> Bool {
        if program.count >= Self.stepLimit { return false }
        switch node {
        case .set(let set): program.append(.character(set))
        case .ahead(let set, let isNegated): program.append(.ahead(set, isNegated: isNegated))
        case .lineEnd: program.append(.lineEnd)
        case .lineStart: program.append(.lineStart)
        case .sequence(let nodes):
            for node in nodes where !append(node) { return false }
        case .alternatives(let nodes):
            var ends: [Int] = []
            for (index, node) in nodes.enumerated() {
                let isLast = index == nodes.count - 1
                let fork = program.count
                if !isLast { program.append(.match) }
                guard append(node) else { return false }
                if isLast { break }
                ends.append(program.count)
                program.append(.match)
                program[fork] = .fork(fork + 1, program.count)
            }
            for end in ends { program[end] = .jump(program.count) }
        case .repetition(let node, let least, let most):
            for _ in 0..<least where !append(node) { return false }
            if let most {
                var forks: [Int] = []
                for _ in least..<most {
                    forks.append(program.count)
                    program.append(.match)
                    guard append(node) else { return false }
                }
                for fork in forks { program[fork] = .fork(fork + 1, program.count) }
            } else {
                let fork = program.count
                program.append(.match)
                guard append(node) else { return false }
                program.append(.jump(fork))
                program[fork] = .fork(fork + 1, program.count)
            }
        }
        return program.count < Self.stepLimit
    }
}

/// Reads the syntax of an expression.
struct CharacterPatternParser {
    /// A part of an expression.
    indirect enum Node {
        case set(CharacterSet)
        case ahead(CharacterSet, isNegated: Bool)
        case lineEnd, lineStart
        case sequence([Node])
        case alternatives([Node])
        case repetition(Node, least: Int, most: Int?)

        /// The fewest characters that it matches.
        var leastLength: Int {
            switch self {
            case .set: 1
            case .ahead, .lineEnd, .lineStart: 0
            case .sequence(let nodes): nodes.reduce(0) { $0 + $1.leastLength }
            case .alternatives(let nodes): nodes.map(\.leastLength).min() ?? 0
            case .repetition(let node, let least, _): least * node.leastLength
            }
        }

        var isSet: Bool { if case .set = self { true } else { false } }
    }

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var ignoresCase = false

    init(_ expression: String) {
        scalars = Array(expression.unicodeScalars)
    }

    var isAtEnd: Bool { position == scalars.count }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func next() -> Unicode.Scalar? {
        guard position < scalars.count else { return nil }
        position += 1
        return scalars[position - 1]
    }

    /// Reads alternatives up to a closing parenthesis or the end.
    mutating func expression() -> Node? {
        depth += 1
        defer { depth -= 1 }
        guard depth < 20 else { return nil }
        var alternatives: [Node] = []
        repeat {
            var nodes: [Node] = []
            while position < scalars.count, scalars[position] != "|", scalars[position] != ")" {
                guard let node = item() else { return nil }
                nodes.append(node)
            }
            alternatives.append(.sequence(nodes))
        } while take("|")
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    private mutating func item() -> Node? {
        guard let node = atom() else { return nil }
        var least = 1
        var most: Int? = 1
        if take("?") {
            least = 0
        } else if take("*") {
            (least, most) = (0, nil)
        } else if take("+") {
            most = nil
        } else if take("{") {
            guard let first = number() else { return nil }
            (least, most) = (first, first)
            if take(",") { most = number() }
            guard take("}"), first <= most ?? .max else { return nil }
        } else {
            return node
        }
        // lazy and possessive repetition, and repetition of repetition
        if position < scalars.count, ["?", "+", "*", "{"].contains(scalars[position]) { return nil }
        // a group that repeats without end could match nothing in each turn
        guard node.isSet || most == 1 && node.leastLength > 0 else { return nil }
        return .repetition(node, least: least, most: most)
    }

    private mutating func number() -> Int? {
        var digits = ""
        while position < scalars.count, ("0"..."9").contains(scalars[position]) {
            digits.unicodeScalars.append(scalars[position])
            position += 1
        }
        return Int(digits).flatMap { $0 <= 1000 ? $0 : nil }
    }

    private mutating func atom() -> Node? {
        if take("(?i:") {
            let outer = ignoresCase
            ignoresCase = true
            defer { ignoresCase = outer }
            return group()
        }
        if take("(?:") { return group() }
        for (opening, isNegated) in [("(?!", true), ("(?=", false)] where take(opening) {
            guard case .sequence(let nodes)? = group(), nodes.count == 1, case .set(let set) = nodes[0] else { return nil }
            return .ahead(set, isNegated: isNegated)
        }
        if take("[") { return ignoresCase ? nil : set() }
        guard let scalar = next() else { return nil }
        switch scalar {
        case "(":
            // a group that is remembered is one to us, but for what begins with a question mark
            return position < scalars.count && scalars[position] == "?" ? nil : group()
        case "$": return .lineEnd
        case "^": return .lineStart
        case ".": return ignoresCase ? nil : .set(CharacterSet([.range(0x0A...0x0A)], isNegated: true))
        case "\\":
            guard let element = escaped() else { return nil }
            if case .range(let range) = element { return literal(range.lowerBound) }
            return ignoresCase ? nil : .set(CharacterSet([element]))
        case "*", "+", "?", "{", "}", "]": return nil
        default: return literal(scalar.value)
        }
    }

    private mutating func group() -> Node? {
        guard let node = expression(), take(")") else { return nil }
        return node
    }

    /// A single character, in both cases where case does not matter (ſ is a form of s, and the sign of kelvin one of k).
    private func literal(_ value: UInt32) -> Node? {
        guard ignoresCase else { return .set(CharacterSet([value])) }
        guard value < 0x80 else { return nil }
        let lower = value | 0x20
        guard (0x61...0x7A).contains(lower) else { return .set(CharacterSet([value])) }
        return .set(CharacterSet([lower, lower & ~0x20] + (lower == 0x73 ? [0x17F] : lower == 0x6B ? [0x212A] : [])))
    }

    /// Reads what follows a backslash.
    private mutating func escaped() -> CharacterSet.Element? {
        guard let scalar = next() else { return nil }
        func single(_ value: UInt32) -> CharacterSet.Element { .range(value...value) }
        switch scalar {
        case "n": return single(0x0A)
        case "r": return single(0x0D)
        case "t": return single(0x09)
        case "f": return single(0x0C)
        case "v": return single(0x0B)
        case "s", "S": return .category(.space, isNegated: scalar == "S")
        case "w", "W": return .category(.word, isNegated: scalar == "W")
        case "d", "D": return .category(.digit, isNegated: scalar == "D")
        case "u": return hexadecimal(4).map(single)
        case "x":
            if take("{") {
                var digits = 0
                while position + digits < scalars.count, scalars[position + digits] != "}" { digits += 1 }
                guard digits <= 6, let value = hexadecimal(digits), take("}") else { return nil }
                return single(value)
            }
            return hexadecimal(2).map(single)
        case "p", "P":
            guard take("{") else { return nil }
            var isNegated = scalar == "P"
            if take("^") { isNegated.toggle() }
            var name = ""
            while let letter = next(), letter != "}" { name.unicodeScalars.append(letter) }
            return CharacterCategory(named: name).map { .category($0, isNegated: isNegated) }
        default:
            // letters and digits have meanings of their own
            return scalar.isASCII && !scalar.properties.isAlphabetic && !("0"..."9").contains(scalar) ? single(scalar.value) : nil
        }
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        guard count > 0, position + count <= scalars.count else { return nil }
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars[position..<position + count])
        guard let value = UInt32(text, radix: 16), Unicode.Scalar(value) != nil else { return nil }
        position += count
        return value
    }

    /// Reads a set behind its opening bracket.
    private mutating func set() -> Node? {
        let isNegated = take("^")
        var elements: [CharacterSet.Element] = []
        while let element = member() {
            var element = element
            if case .range(let start) = element, position + 1 < scalars.count, scalars[position] == "-", scalars[position + 1] != "]" {
                position += 1
                guard case .range(let end)? = member(), start.lowerBound <= end.upperBound else { return nil }
                element = .range(start.lowerBound...end.upperBound)
            }
            elements.append(element)
        }
        guard take("]"), !elements.isEmpty else { return nil }
        return .set(CharacterSet(elements, isNegated: isNegated))
    }

    /// Reads a member of a set; nil at its end, and where something stands that is not here: sets in sets, and their intersections.
    private mutating func member() -> CharacterSet.Element? {
        guard position < scalars.count else { return nil }
        switch scalars[position] {
        case "]", "[": return nil
        case "&" where position + 1 < scalars.count && scalars[position + 1] == "&": return nil
        case "\\":
            position += 1
            return escaped()
        case let scalar:
            position += 1
            return .range(scalar.value...scalar.value)
        }
    }
}
