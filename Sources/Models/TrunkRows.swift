public import Tensor

/// The states of one text behind the first layers of a model, where they were computed: some rows of one matrix that all texts share.
public struct TrunkRows {
    /// The states of all texts: [N, C].
    public let states: Tensor
    /// The rows of this text, one a token.
    public let rows: Range<Int>

    /// The given rows of some states.
    public init(_ states: Tensor, rows: Range<Int>) {
        precondition(
            states.shape.rank == 2 && rows.lowerBound >= 0 && rows.upperBound <= states.shape[0],
            "rows \(rows) are not in states \(states.shape)")
        self.states = states
        self.rows = rows
    }

    /// The rows of the text's first tokens.
    public func prefix(_ count: Int) -> TrunkRows { TrunkRows(states, rows: rows.prefix(count)) }

    /// The rows of the text's tokens behind the first ones.
    public func dropFirst(_ count: Int) -> TrunkRows { TrunkRows(states, rows: rows.dropFirst(count)) }

    /// A copy of the rows: [rows, C].
    public var tensor: Tensor { states.rows(rows) }

    /// The rows of texts that share prompts, as a ``TokenBatch`` with shared prompts reads them: of each prompt once, then of what is behind it in
    /// every text.
    /// - Parameters:
    ///   - groups: which texts have a prompt in common.
    ///   - shared: how many tokens the texts of each group share.
    public static func gathered(_ texts: [TrunkRows], sharing groups: [Range<Int>], shared: [Int]) -> Tensor {
        gathered(
            zip(groups, shared).flatMap { group, count in
                [texts[group.lowerBound].prefix(count)] + texts[group].map { $0.dropFirst(count) }
            })
    }

    /// The rows of several texts one under the other, as a pass reads them: [Σ rows, C]. No gradient flows through it.
    public static func gathered(_ texts: [TrunkRows]) -> Tensor {
        precondition(!texts.isEmpty, "there are no rows to gather")
        let width = texts[0].states.shape[1]
        precondition(texts.allSatisfy { $0.states.shape[1] == width }, "rows of several widths make no matrix")
        return .uninitialized([texts.reduce(0) { $0 + $1.rows.count }, width]) { out in
            var at = 0
            for text in texts {
                (out + at).update(from: text.states.pointer + text.rows.lowerBound * width, count: text.rows.count * width)
                at += text.rows.count * width
            }
        }
    }
}
