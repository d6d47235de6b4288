/// A node of a parsed regular expression.
indirect enum PatternNode: Sendable, Equatable {
    /// How a repetition prefers its lengths: greedy tries the longest first, lazy the shortest first, and possessive
    /// never gives characters back.
    enum Greed: Sendable {
        case greedy, lazy, possessive
    }

    /// A character of a set.
    case set(CharacterSet)
    /// A lookahead or lookbehind, which may be negated.
    case look(PatternNode, isAhead: Bool, isNegated: Bool)
    /// Nodes one after the other.
    case sequence([PatternNode])
    /// One of several nodes, in order of preference.
    case alternatives([PatternNode])
    /// A node repeated `least` to `most` times; nil for no upper limit.
    case repetition(PatternNode, least: Int, most: Int?, Greed)
    /// A capturing group with its number.
    case group(PatternNode, number: Int)
    /// An atomic group: only its first match is considered.
    case atomic(PatternNode)
    /// A back-reference to a group.
    case reference(Int)

    static let nothing = PatternNode.sequence([])

    /// The minimum number of characters that it matches.
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

    /// The character set, if it always matches exactly one character.
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

    // MARK: Positions

    /// The start of the text or of a line, but not after a newline at the end of the text.
    static let lineStart = PatternNode.alternatives([textStart, .sequence([behind(.newline), ahead(.all)])])
    static let lineEnd = ahead(CharacterSet.newline.inverted, isNegated: true)
    static let textStart = behind(.all, isNegated: true)
    static let textEnd = ahead(.all, isNegated: true)

    /// A word boundary, or its negation.
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
