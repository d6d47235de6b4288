/// A regular expression over the names of a model's modules.
struct ModulePattern {
    private let text: String
    private let whole: Regex<AnyRegexOutput>

    /// - Throws: ``ModelError/adapter(_:)`` for text that is no regular expression.
    init(_ text: String) throws {
        self.text = text
        do {
            whole = try Regex("(?:.*\\.)?(?:\(text))")
            _ = try Regex<AnyRegexOutput>(text)
        } catch {
            throw ModelError.adapter("'\(text)' of an adapter's patterns is no regular expression")
        }
    }

    /// Whether the expression matches a name, or what follows one of its dots.
    func matchesEnd(of module: String) throws -> Bool { try whole.wholeMatch(in: module) != nil }

    /// Whether the expression matches all of a name.
    func matches(_ module: String) throws -> Bool { try Regex<AnyRegexOutput>(text).wholeMatch(in: module) != nil }
}

extension AdapterConfiguration.Targets {
    /// Whether a name is among the targets, and whether it is so in full: then layers do not matter to PEFT.
    func match(_ module: String) throws -> (found: Bool, inFull: Bool) {
        switch self {
        case .allLinear: return (true, false)
        case .pattern(let pattern): return (try ModulePattern(pattern).matches(module), true)
        case .names(let names):
            if names.contains(module) { return (true, true) }
            return (names.contains { Self.ends(module, with: $0) }, false)
        }
    }

    /// Whether a name ends with a dot and a part.
    static func ends(_ module: String, with name: String) -> Bool { module.hasSuffix(".\(name)") }
}

extension AdapterConfiguration {
    /// Whether an adapter changes a projection.
    func changes(_ module: String) throws -> Bool {
        if let excluded, try excluded.match(module).found { return false }
        let match = try targets.match(module)
        guard match.found, !match.inFull, let layers else { return match.found }
        return try layer(of: module).map(layers.contains) ?? false
    }

    /// The layer of a module: the first number of its name that has two parts in front of it, or one of the given patterns.
    func layer(of module: String) throws -> Int? {
        let parts = module.split(separator: ".", omittingEmptySubsequences: false)
        let patterns = try (layersPatterns ?? []).map { try ModulePattern($0) }
        for index in parts.indices.dropLast() where index > 0 {
            guard let number = Int(parts[index]) else { continue }
            if patterns.isEmpty
                ? index > 1 : try patterns.contains(where: { try $0.matchesEnd(of: parts[..<index].joined(separator: ".")) })
            {
                return number
            }
        }
        return nil
    }
}
