/// What happens to the matches at which a text is split.
enum SplitBehavior: String, Sendable, CaseIterable {
    /// Matches are removed.
    case removed = "Removed"
    /// Every match is a separate piece.
    case isolated = "Isolated"
    /// A match ends the piece before it.
    case mergedWithPrevious = "MergedWithPrevious"
    /// A match starts the piece after it.
    case mergedWithNext = "MergedWithNext"
    /// Adjacent matches form one piece.
    case contiguous = "Contiguous"

    init(_ part: TokenizerPart) throws {
        let name = try part.string()
        guard let behavior = SplitBehavior(rawValue: name) else { throw part.unsupported(name) }
        self = behavior
    }
}

/// Collects the pieces of a text from its matches and the stretches between them, in order.
///
/// Of several adjacent matches, only the first is merged with the previous piece, or only the last with the next, as in
/// Hugging Face `tokenizers`.
struct SplitCollector {
    private let behavior: SplitBehavior
    /// The piece that may still grow.
    private var open: Range<Int>?
    private var isBehindMatch = false

    init(_ behavior: SplitBehavior) {
        self.behavior = behavior
    }

    /// Processes the next stretch. Appends pieces that are complete.
    @inline(__always)
    mutating func add(_ range: Range<Int>, isMatch: Bool, to output: inout [Range<Int>]) {
        switch behavior {
        case .isolated:
            if !range.isEmpty { output.append(range) }
        case .removed:
            if !isMatch, !range.isEmpty { output.append(range) }
        case .contiguous: add(range, joins: isMatch == isBehindMatch, &output)
        case .mergedWithPrevious: add(range, joins: isMatch && !isBehindMatch, &output)
        // From left to right: a match is extended by what follows it, unless that is a match.
        case .mergedWithNext: add(range, joins: isBehindMatch && !isMatch, &output)
        }
        isBehindMatch = isMatch
    }

    /// Extends the open piece if `joins` is true; otherwise completes it and opens a new one.
    @inline(__always)
    private mutating func add(_ range: Range<Int>, joins: Bool, _ output: inout [Range<Int>]) {
        if joins, let open {
            self.open = open.lowerBound..<range.upperBound
            return
        }
        finish(&output)
        open = range
    }

    /// Completes the open piece.
    mutating func finish(_ output: inout [Range<Int>]) {
        if let open, !open.isEmpty { output.append(open) }
        open = nil
    }
}
