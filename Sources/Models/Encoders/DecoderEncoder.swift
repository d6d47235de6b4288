public import Tensor

/// A decoder whose last states are read, as embedders made of language models are: causal, or in both directions where its configuration says so.
///
/// Unchecked: the weights are written when the decoder is made and read from then on. One pass runs at a time, since decoders keep tables that grow.
public final class DecoderEncoder: Encoder, @unchecked Sendable {
    public let shape: EncoderShape
    public let runsConcurrently = false
    private let decoder: any TransformerDecoder

    /// A decoder as an encoder.
    public init(_ decoder: any TransformerDecoder) {
        self.decoder = decoder
        shape = EncoderShape(
            hiddenSize: decoder.shape.headWidth, vocabularySize: decoder.shape.vocabularySize, contextLength: decoder.shape.contextLength)
    }

    public func prepare() {}

    public func states(of inputs: [EncoderInput]) -> Tensor {
        let batch = TokenBatch(inputs.map(\.ids), isCausal: decoder.isCausal)
        return decoder.finish(decoder.run(batch, layers: 0..<decoder.shape.layerCount), on: nil)
    }
}
