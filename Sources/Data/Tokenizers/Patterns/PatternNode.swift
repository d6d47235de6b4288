/// A part of a regular expression.
indirect enum PatternNode: Sendable, Equatable {
    /// How a repetition gives back what it took: the shortest last, the shortest first, never.
    enum Greed: Sendable {
        case greedy, lazy, possessive
    }

    case set(CharacterSet)
    /// What stands before or behind the place, or must not stand there.
    case look(PatternNode, isAhead: Bool, isNegated: Bool)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case repetition(PatternNode, least: Int, most: Int?, Greed)
    /// A group that references name by its number.
    case group(PatternNode, number: Int)
    /// A group whose first match is its only one.
    case atomic(PatternNode)
    case reference(Int)

    static let nothing = PatternNode.sequence([])

    /// The fewest characters that it matches.
    var leastLength: Int {
        switch self {
        case .set: 1
        case .look, .reference: 0
        case .sequence(let nodes): nodes.reduce(0) { $0 + $1.leastLength }
        case .alternatives(let nodes): nodes.map(\.leastLength).min() ?? 0
        case .repetition(let node, let least, _, _): least * node.leastLength
        case .group(let node, _), .atomic(let node): node.leastLength
        }
    }

    /// The set, if it matches a single character and nothing else.
    var singleSet: CharacterSet? {
        switch self {
        case .set(let set): return set
        case .sequence(let nodes): return nodes.count == 1 ? nodes[0].singleSet : nil
        case .group(let node, _), .atomic(let node): return node.singleSet
        case .alternatives(let nodes):
            var ranges: [ClosedRange<UInt32>] = []
            for node in nodes {
                guard let set = node.singleSet else { return nil }
                ranges += set.ranges
            }
            return CharacterSet(ranges)
        default: return nil
        }
    }

    // MARK: Places

    /// The beginning of the text or of a line, but not behind the last newline.
    static let lineStart = PatternNode.alternatives([textStart, .sequence([behind(.newline), ahead(.all)])])
    static let lineEnd = ahead(CharacterSet.newline.inverted, isNegated: true)
    static let textStart = behind(.all, isNegated: true)
    static let textEnd = ahead(.all, isNegated: true)

    static func wordBoundary(isNegated: Bool) -> PatternNode {
        let word = CharacterProperty.word
        return .alternatives([
            .sequence([behind(word), ahead(word, isNegated: !isNegated)]),
            .sequence([behind(word, isNegated: true), ahead(word, isNegated: isNegated)]),
        ])
    }

    private static func ahead(_ set: CharacterSet, isNegated: Bool = false) -> PatternNode {
        .look(.set(set), isAhead: true, isNegated: isNegated)
    }

    private static func behind(_ set: CharacterSet, isNegated: Bool = false) -> PatternNode {
        .look(.set(set), isAhead: false, isNegated: isNegated)
    }
}
