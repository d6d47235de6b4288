/// A regular expression for the names of a model's modules.
struct ModulePattern {
    private let whole: Regex<AnyRegexOutput>
    private let end: Regex<AnyRegexOutput>

    /// Compiles a regular expression.
    /// - Throws: ``ModelError/adapter(_:)`` if the text is not a regular expression, or one whose matching could take exponential
    ///   time.
    init(_ text: String) throws {
        guard Self.isSwift(text) else {
            throw ModelError.adapter(
                "the pattern '\(text.prefix(60))' of an adapter is too complex: at most six * and +, not nested")
        }
        do {
            whole = try Regex(text)
            end = try Regex("(?:.*\\.)?(?:\(text))")
        } catch {
            throw ModelError.adapter("the pattern '\(text.prefix(60))' of an adapter is not a supported regular expression")
        }
    }

    /// Whether the expression matches the whole name.
    func matches(_ module: String) throws -> Bool { try whole.wholeMatch(in: module) != nil }

    /// Whether the expression matches the whole name, or all of it after one of its dots.
    func matchesEnd(of module: String) throws -> Bool { try end.wholeMatch(in: module) != nil }

    /// Whether matching by backtracking is fast. It takes exponential time if an unbounded repetition contains another one, and
    /// polynomial time, with the number of consecutive repetitions as the exponent, otherwise.
    private static func isSwift(_ text: String) -> Bool {
        let marks = Array(text.utf8)
        var (open, index, repetitions) = ([false], 0, 0)
        func repeats(at index: Int) -> Bool {
            guard index < marks.count else { return false }
            if marks[index] == UInt8(ascii: "{") {
                // {3} and {2,4} are bounded; {2,} is not
                return marks[index...].prefix { $0 != UInt8(ascii: "}") }.last == UInt8(ascii: ",")
            }
            return marks[index] == UInt8(ascii: "*") || marks[index] == UInt8(ascii: "+")
        }
        while index < marks.count {
            switch marks[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["):
                // the first character of a class may be a literal ]
                index += marks[(index + 1)...].first == UInt8(ascii: "^") ? 3 : 2
                while index < marks.count, marks[index] != UInt8(ascii: "]") { index += marks[index] == UInt8(ascii: "\\") ? 2 : 1 }
            case UInt8(ascii: "("): open.append(false)
            case UInt8(ascii: ")"):
                guard open.count > 1 else { return true }  // not a regular expression
                let inside = open.removeLast()
                if inside, repeats(at: index + 1) { return false }
                open[open.count - 1] = open[open.count - 1] || inside
            default:
                if repeats(at: index) {
                    repetitions += 1
                    open[open.count - 1] = true
                }
            }
            index += 1
        }
        return repetitions <= 6
    }
}

extension AdapterConfiguration.Targets {
    /// Whether a module name is among the targets, and whether it matches in full: PEFT then ignores the selection of layers.
    func match(_ module: String) throws -> (found: Bool, inFull: Bool) {
        switch self {
        case .allLinear: return (true, false)
        case .pattern(let pattern): return (try ModulePattern(pattern).matches(module), true)
        case .names(let names):
            if names.contains(module) { return (true, true) }
            return (names.contains { Self.ends(module, with: $0) }, false)
        }
    }

    /// Whether a module name ends with a dot and `name`.
    static func ends(_ module: String, with name: String) -> Bool { module.hasSuffix(".\(name)") }
}

extension AdapterConfiguration {
    /// Whether the adapter changes a projection.
    func changes(_ module: String) throws -> Bool {
        if let excluded, try excluded.match(module).found { return false }
        let match = try targets.match(module)
        guard match.found, !match.inFull, let layers else { return match.found }
        return try layer(of: module).map(layers.contains) ?? false
    }

    /// The layer of a module: the first number in its name that has at least two components before it, or what one of
    /// ``layersPatterns`` matches; nil if there is none.
    func layer(of module: String) throws -> Int? {
        let parts = module.split(separator: ".", omittingEmptySubsequences: false)
        let patterns = try (layersPatterns ?? []).map { try ModulePattern($0) }
        for index in parts.indices.dropLast() where index > 0 {
            guard let number = Int(parts[index]) else { continue }
            let before = parts[..<index].joined(separator: ".")
            if patterns.isEmpty ? index > 1 : try patterns.contains(where: { try $0.matchesEnd(of: before) }) { return number }
        }
        return nil
    }
}
