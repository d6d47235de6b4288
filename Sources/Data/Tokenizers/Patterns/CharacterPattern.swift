/// A regular expression without memory: characters, sets of them, repetitions, alternatives, and single characters looked at ahead and behind.
///
/// It is a program for a machine that follows all ways through it at once. Where the machine has few enough states they are written out as a
/// table (``PatternAutomaton``), which costs a look-up for each character. What needs memory (references, groups whose first match counts,
/// longer texts looked at ahead and behind) is for ``FoundationPattern``.
struct CharacterPattern: Sendable {
    /// A step of the program. Sets are named by their places in a list.
    enum Step: Sendable, Equatable {
        case character(Int)
        /// Goes on at the first place, or, if that leads nowhere, at the second.
        case fork(Int, Int)
        case jump(Int)
        /// Whether the next character is in a set; the end of the text is in none.
        case ahead(Int, isNegated: Bool)
        /// Whether the character before is in a set; the start of the text is in none.
        case behind(Int, isNegated: Bool)
        case match
    }

    let program: [Step]
    let classes: CharacterClasses
    /// The table; nil if it would be too large.
    let automaton: PatternAutomaton?

    /// Longer programs are none.
    private static let stepLimit = 2000

    /// The pattern of an expression; nil if it needs memory, or is too long.
    init?(_ node: PatternNode) {
        var compiler = Compiler()
        guard compiler.append(node) else { return nil }
        compiler.program.append(.match)
        guard let classes = CharacterClasses(compiler.sets) else { return nil }
        program = compiler.program
        self.classes = classes
        automaton = PatternAutomaton(compiler.program, classes)
    }

    /// Writes the steps of nodes.
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

        /// Appends the steps of a node; false once they are too many, or if it needs memory.
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
                // a single character has a single match
                guard node.singleSet != nil else { return false }
                return append(node)
            }
            return program.count < CharacterPattern.stepLimit
        }

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

        private mutating func append(_ node: PatternNode, _ least: Int, _ most: Int?, _ greed: PatternNode.Greed) -> Bool {
            if greed == .possessive {
                // what takes all characters of a set gives none back: the next one is not in it
                guard let set = node.singleSet, most == nil || least == 0 && most == 1 else { return false }
                let rest = PatternNode.look(.set(set), isAhead: true, isNegated: true)
                if most == nil { return append(.repetition(node, least: least, most: nil, .greedy)) && append(rest) }
                return append(.alternatives([node, rest]))
            }
            func fork(_ place: Int, _ end: Int) -> Step { greed == .lazy ? .fork(end, place + 1) : .fork(place + 1, end) }
            // what matches nothing could do so without end
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
