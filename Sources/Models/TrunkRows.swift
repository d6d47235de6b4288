public import Tensor

/// The output of the first layers of a model for one text: a range of rows of a matrix that many texts share.
public struct TrunkRows {
    /// The states of all texts: [N, C].
    public let states: Tensor
    /// The rows of this text, one per token.
    public let rows: Range<Int>

    /// Creates a reference to some rows of a matrix of states [N, C].
    public init(_ states: Tensor, rows: Range<Int>) {
        precondition(
            states.shape.rank == 2 && rows.lowerBound >= 0 && rows.upperBound <= states.shape[0],
            "rows \(rows) are not in states \(states.shape)")
        self.states = states
        self.rows = rows
    }

    /// The rows of the first `count` tokens of the text.
    public func prefix(_ count: Int) -> TrunkRows { TrunkRows(states, rows: rows.prefix(count)) }

    /// The rows of the text without its first `count` tokens.
    public func dropFirst(_ count: Int) -> TrunkRows { TrunkRows(states, rows: rows.dropFirst(count)) }

    /// A copy of the rows: [tokens, C].
    public var tensor: Tensor { states.rows(rows) }

    /// The rows of texts that share prompts, in the order of a ``TokenBatch`` with shared prompts: for each group first the rows
    /// of the prompt, then the remaining rows of every text. No gradient flows through it.
    /// - Parameters:
    ///   - texts: the rows of every text.
    ///   - groups: the ranges of texts that share a prompt.
    ///   - shared: the number of tokens that the texts of each group share.
    public static func gathered(_ texts: [TrunkRows], sharing groups: [Range<Int>], shared: [Int]) -> Tensor {
        gathered(
            zip(groups, shared).flatMap { group, count in
                [texts[group.lowerBound].prefix(count)] + texts[group].map { $0.dropFirst(count) }
            })
    }

    /// The concatenated rows of several texts: [Σ rows, C]. No gradient flows through it.
    public static func gathered(_ texts: [TrunkRows]) -> Tensor {
        precondition(!texts.isEmpty, "there are no rows to gather")
        let width = texts[0].states.shape[1]
        precondition(texts.allSatisfy { $0.states.shape[1] == width }, "all rows must have the same width")
        return .uninitialized([texts.reduce(0) { $0 + $1.rows.count }, width]) { out in
            var at = 0
            for text in texts {
                (out + at).update(from: text.states.pointer + text.rows.lowerBound * width, count: text.rows.count * width)
                at += text.rows.count * width
            }
        }
    }
}
