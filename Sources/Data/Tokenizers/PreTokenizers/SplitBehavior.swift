/// What becomes of the matches at which a text is split.
enum SplitBehavior: String, Sendable, CaseIterable {
    /// Matches are left out.
    case removed = "Removed"
    /// Every match is a piece.
    case isolated = "Isolated"
    /// A match ends the piece before it.
    case mergedWithPrevious = "MergedWithPrevious"
    /// A match begins the piece behind it.
    case mergedWithNext = "MergedWithNext"
    /// Matches that follow each other are one piece.
    case contiguous = "Contiguous"

    init(_ part: TokenizerPart) throws {
        let name = try part.string()
        guard let behavior = SplitBehavior(rawValue: name) else { throw part.unsupported(name) }
        self = behavior
    }
}

/// Gathers the pieces of a text while its matches, and the stretches between them, are walked through in order.
///
/// Of several matches in a row only the first one is merged with its neighbour (of those merged with the next, the
/// last), as in the reference.
struct SplitCollector {
    private let behavior: SplitBehavior
    /// The piece that may still grow.
    private var open: Range<Int>?
    private var isBehindMatch = false

    init(_ behavior: SplitBehavior) {
        self.behavior = behavior
    }

    /// Takes the next stretch; appends pieces that are complete.
    @inline(__always)
    mutating func add(_ range: Range<Int>, isMatch: Bool, to output: inout [Range<Int>]) {
        switch behavior {
        case .isolated:
            if !range.isEmpty { output.append(range) }
        case .removed:
            if !isMatch, !range.isEmpty { output.append(range) }
        case .contiguous: add(range, joins: isMatch == isBehindMatch, &output)
        case .mergedWithPrevious: add(range, joins: isMatch && !isBehindMatch, &output)
        // Seen from the left, a match takes what follows it unless that is a match.
        case .mergedWithNext: add(range, joins: isBehindMatch && !isMatch, &output)
        }
        isBehindMatch = isMatch
    }

    @inline(__always)
    private mutating func add(_ range: Range<Int>, joins: Bool, _ output: inout [Range<Int>]) {
        if joins, let open {
            self.open = open.lowerBound..<range.upperBound
            return
        }
        finish(&output)
        open = range
    }

    /// Appends what is left.
    mutating func finish(_ output: inout [Range<Int>]) {
        if let open, !open.isEmpty { output.append(open) }
        open = nil
    }
}
