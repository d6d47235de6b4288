public import Tensor

/// A reward model: a decoder with a value head, whose value at the last token of a text is the score of the text.
public final class RewardModel {
    /// The decoder. Its output projection is not used.
    public let decoder: any TransformerDecoder
    /// The value head.
    public let head: ValueHead

    /// Creates a reward model from a decoder and a head of the same width.
    public init(_ decoder: any TransformerDecoder, head: ValueHead) {
        precondition(
            head.weight.value.count == decoder.shape.headWidth,
            "a head of width \(head.weight.value.count) does not fit a decoder of width \(decoder.shape.headWidth)")
        self.decoder = decoder
        self.head = head
    }

    /// The scores at the given rows, one per sequence: [R].
    /// - Parameters:
    ///   - batch: the tokens.
    ///   - lastRows: the rows at which the scores are read, one per sequence.
    ///   - trunk: the output of the first `trunk.layers` layers, if a model with equal weights has already computed it.
    ///   - tape: the tape that records the pass; nil for inference.
    public func scores(
        _ batch: TokenBatch, lastRows: [Int], trunk: (states: Tensor, layers: Int)? = nil, on tape: Tape? = nil
    ) -> Tensor {
        head(decoder.hidden(batch, wanted: lastRows.map { $0..<$0 + 1 }, trunk: trunk, on: tape), on: tape)
    }

    /// The scores of whole sequences, each at its last token.
    public func scores(_ sequences: [[Int32]], trunk: (states: Tensor, layers: Int)? = nil) -> [Float] {
        let batch = TokenBatch(sequences)
        return scores(batch, lastRows: batch.rows.map { $0.upperBound - 1 }, trunk: trunk).values
    }
}
