public import Tensor

/// A decoder with a value head, read at the last token of a text: the score of the text.
public final class RewardModel {
    /// The decoder; its output projection is not used.
    public let decoder: any TransformerDecoder
    /// The head.
    public let head: ValueHead

    /// A reward model of a decoder and a head of its width.
    public init(_ decoder: any TransformerDecoder, head: ValueHead) {
        precondition(
            head.weight.value.count == decoder.shape.headWidth,
            "a head of width \(head.weight.value.count) does not fit a decoder of width \(decoder.shape.headWidth)")
        self.decoder = decoder
        self.head = head
    }

    /// The score at each of the given rows: [R].
    /// - Parameter trunk: the states behind the first layers, when another model with equal weights has computed them.
    public func scores(
        _ batch: TokenBatch, lastRows: [Int], trunk: (states: Tensor, layers: Int)? = nil, on tape: Tape? = nil
    ) -> Tensor {
        head(decoder.hidden(batch, wanted: lastRows.map { $0..<$0 + 1 }, trunk: trunk, on: tape), on: tape)
    }

    /// The scores of whole sequences, each read at its last token.
    public func scores(_ sequences: [[Int32]], trunk: (states: Tensor, layers: Int)? = nil) -> [Float] {
        let batch = TokenBatch(sequences)
        return scores(batch, lastRows: batch.rows.map { $0.upperBound - 1 }, trunk: trunk).values
    }
}
