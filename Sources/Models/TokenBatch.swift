public import Tensor

/// Sequences of tokens packed one after the other, without padding.
///
/// Several continuations of one prompt may share its rows: then the prompt is stored, and computed, once.
public struct TokenBatch: Sendable {
    /// All tokens: [T].
    public let ids: [Int32]
    /// The position of every token in its sequence: [T].
    public let positions: [Int32]
    /// What every token may attend to.
    public let layout: AttentionLayout
    /// For every sequence, the rows of its own tokens (without a shared prompt).
    public let rows: [Range<Int>]

    /// What decides which numbers a model drops: set where it is trained with dropout, nil everywhere else.
    public var dropout: DropoutSource?

    /// Independent sequences.
    /// - Parameter isCausal: whether a token sees those up to itself alone.
    public init(_ sequences: [[Int32]], isCausal: Bool = true) {
        ids = sequences.flatMap { $0 }
        positions = sequences.flatMap { (0..<Int32($0.count)) }
        layout = AttentionLayout(lengths: sequences.map(\.count), isCausal: isCausal)
        rows = layout.segments.map(\.queries)
    }

    /// Prompts, each with any number of continuations that share the prompt's rows.
    ///
    /// `rows` holds, group by group, the rows of every continuation; `promptRows` those of the prompts.
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

    /// The runs of consecutive texts with one and the same prompt.
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

    /// The rows of the prompts of a batch with shared prompts; empty otherwise.
    public private(set) var promptRows: [Range<Int>] = []

    /// The number of rows.
    public var count: Int { ids.count }

    /// For every row, the tokens of its sequence, a shared prompt included. (A shared prompt's own rows: those of the prompt.)
    var lengths: [Int32] {
        var lengths = [Int32](repeating: 0, count: count)
        for segment in layout.segments {
            let length = Int32(segment.prefix.count + segment.queries.count)
            for row in segment.queries { lengths[row] = length }
        }
        return lengths
    }

    /// The context of a layer of which only some rows are wanted. Every range lies within one sequence's own rows.
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
