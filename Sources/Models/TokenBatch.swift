public import Tensor

/// Token sequences packed one after the other, without padding.
///
/// Several continuations of a prompt can share its rows; the prompt is then stored and computed only once.
public struct TokenBatch: Sendable {
    /// The token IDs of all sequences: [T].
    public let ids: [Int32]
    /// The position of every token in its sequence: [T].
    public let positions: [Int32]
    /// Which tokens every token sees.
    public let layout: AttentionLayout
    /// The rows of each sequence's own tokens, without a shared prompt.
    public let rows: [Range<Int>]

    /// The source of dropout masks; nil for no dropout.
    public var dropout: DropoutSource?

    /// Packs independent sequences.
    /// - Parameters:
    ///   - sequences: the token IDs of each sequence.
    ///   - isCausal: whether a token sees only those up to itself.
    public init(_ sequences: [[Int32]], isCausal: Bool = true) {
        ids = sequences.flatMap { $0 }
        positions = sequences.flatMap { (0..<Int32($0.count)) }
        layout = AttentionLayout(lengths: sequences.map(\.count), isCausal: isCausal)
        rows = layout.segments.map(\.queries)
    }

    /// Packs prompts together with any number of continuations each, which share the rows of their prompt.
    ///
    /// `rows` holds the rows of all continuations, group by group, and `promptRows` those of the prompts.
    public init(prompts: [[Int32]], continuations: [[[Int32]]]) {
        var ids: [Int32] = []
        var positions: [Int32] = []
        var segments: [AttentionLayout.Segment] = []
        var rows: [Range<Int>] = []
        var promptRows: [Range<Int>] = []
        for (prompt, group) in zip(prompts, continuations) {
            let begin = ids.count
            ids += prompt
            positions += 0..<Int32(prompt.count)
            let own = begin..<ids.count
            promptRows.append(own)
            segments.append(.init(queries: own, keyBegin: begin, firstKey: begin))
            for continuation in group {
                let first = ids.count
                ids += continuation
                positions += Int32(prompt.count)..<Int32(prompt.count + continuation.count)
                rows.append(first..<ids.count)
                segments.append(.init(queries: first..<ids.count, keyBegin: first, firstKey: first, prefix: own))
            }
        }
        self.ids = ids
        self.positions = positions
        self.rows = rows
        self.promptRows = promptRows
        layout = AttentionLayout(segments)
    }

    /// The runs of consecutive texts with the same prompt, as ranges of indices.
    public static func runs(ofEqual prompts: [[Int32]]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, prompt) in prompts.enumerated() {
            if let last = runs.last, prompts[last.lowerBound] == prompt {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    /// The rows of the prompts, if the batch has shared prompts; otherwise empty.
    public private(set) var promptRows: [Range<Int>] = []

    /// The number of rows, T.
    public var count: Int { ids.count }

    /// For every row, the number of tokens of its sequence including a shared prompt. For the rows of a shared prompt, the number
    /// of tokens of the prompt.
    var lengths: [Int32] {
        var lengths = [Int32](repeating: 0, count: count)
        for segment in layout.segments {
            let length = Int32(segment.prefix.count + segment.queries.count)
            for row in segment.queries { lengths[row] = length }
        }
        return lengths
    }

    /// The context of a layer in which only some rows are wanted. Every range must lie within one sequence's own rows.
    func context(wanting wanted: [Range<Int>]) -> LayerContext {
        var segments: [AttentionLayout.Segment] = []
        var at = 0
        for range in wanted where !range.isEmpty {
            guard
                let home = layout.segments.first(where: {
                    $0.queries.lowerBound <= range.lowerBound && range.upperBound <= $0.queries.upperBound
                })
            else { preconditionFailure("wanted rows \(range) lie in no single sequence of the batch") }
            segments.append(
                .init(
                    queries: at..<at + range.count, keyBegin: home.keyBegin,
                    firstKey: home.firstKey + range.lowerBound - home.queries.lowerBound, prefix: home.prefix))
            at += range.count
        }
        return LayerContext(
            positions: positions, lengths: lengths, layout: AttentionLayout(segments),
            wanted: wanted.flatMap { Array($0) }, dropout: dropout)
    }
}
