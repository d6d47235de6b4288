/// A regular expression that can be matched without backtracking: characters, character sets, repetition, alternatives,
/// and lookahead and lookbehind of a single character.
///
/// It is compiled to a program for a machine that follows all paths at once. If the machine has few enough states, they
/// are precomputed as a table (``PatternAutomaton``), which takes one look-up per character. Expressions that need
/// backtracking (back-references, atomic groups, longer lookaround) are handled by ``FoundationPattern``.
struct CharacterPattern: Sendable {
    /// A step of the program. Character sets are given by their indices.
    enum Step: Sendable, Equatable {
        /// Consumes a character of a set.
        case character(Int)
        /// Continues at the first step, or, if that fails, at the second.
        case fork(Int, Int)
        /// Continues at another step.
        case jump(Int)
        /// Tests whether the next character is in a set. The end of the text is in no set.
        case ahead(Int, isNegated: Bool)
        /// Tests whether the previous character is in a set. The start of the text is in no set.
        case behind(Int, isNegated: Bool)
        /// Completes a match.
        case match
    }

    let program: [Step]
    let classes: CharacterClasses
    /// The precomputed table; nil if it would be too large.
    let automaton: PatternAutomaton?

    /// The maximum number of steps of a program.
    private static let stepLimit = 2000

    /// Compiles an expression; nil if it needs backtracking or the program would be too long.
    init?(_ node: PatternNode) {
        var compiler = Compiler()
        guard compiler.append(node) else { return nil }
        compiler.program.append(.match)
        guard let classes = CharacterClasses(compiler.sets) else { return nil }
        program = compiler.program
        self.classes = classes
        automaton = PatternAutomaton(compiler.program, classes)
    }

    /// Compiles nodes to steps.
    private struct Compiler {
        var program: [Step] = []
        var sets: [CharacterSet] = []
        private var indices: [CharacterSet: Int] = [:]

        private mutating func index(of set: CharacterSet) -> Int {
            if let index = indices[set] { return index }
            indices[set] = sets.count
            sets.append(set)
            return sets.count - 1
        }

        /// Appends the steps of a node. Returns false if there are too many steps, or the node needs backtracking.
        mutating func append(_ node: PatternNode) -> Bool {
            if program.count >= CharacterPattern.stepLimit { return false }
            switch node {
            case .set(let set): program.append(.character(index(of: set)))
            case .look(let inner, let isAhead, let isNegated):
                guard let set = inner.singleSet else { return false }
                program.append(isAhead ? .ahead(index(of: set), isNegated: isNegated) : .behind(index(of: set), isNegated: isNegated))
            case .sequence(let nodes):
                for node in nodes where !append(node) { return false }
            case .group(let node, _): return append(node)
            case .alternatives(let nodes): return append(alternatives: nodes)
            case .repetition(let node, let least, let most, let greed): return append(node, least, most, greed)
            case .reference: return false
            case .atomic(let node):
                // a single character has only one match, so atomicity makes no difference
                guard node.singleSet != nil else { return false }
                return append(node)
            }
            return program.count < CharacterPattern.stepLimit
        }

        /// Appends the steps of alternatives.
        private mutating func append(alternatives nodes: [PatternNode]) -> Bool {
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
            return true
        }

        /// Appends the steps of a repetition.
        private mutating func append(_ node: PatternNode, _ least: Int, _ most: Int?, _ greed: PatternNode.Greed) -> Bool {
            if greed == .possessive {
                // a possessive repetition of a set never gives characters back: the next character is not in the set
                guard let set = node.singleSet, most == nil || least == 0 && most == 1 else { return false }
                let rest = PatternNode.look(.set(set), isAhead: true, isNegated: true)
                if most == nil { return append(.repetition(node, least: least, most: nil, .greedy)) && append(rest) }
                return append(.alternatives([node, rest]))
            }
            func fork(_ place: Int, _ end: Int) -> Step { greed == .lazy ? .fork(end, place + 1) : .fork(place + 1, end) }
            // an unlimited repetition of an empty match would never end
            if most == nil, node.leastLength == 0 { return false }
            for _ in 0..<least where !append(node) { return false }
            if let most {
                var forks: [Int] = []
                for _ in least..<most {
                    forks.append(program.count)
                    program.append(.match)
                    guard append(node) else { return false }
                }
                for place in forks { program[place] = fork(place, program.count) }
            } else {
                let place = program.count
                program.append(.match)
                guard append(node) else { return false }
                program.append(.jump(place))
                program[place] = fork(place, program.count)
            }
            return program.count < CharacterPattern.stepLimit
        }
    }
}
