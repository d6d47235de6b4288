public import Tensor

/// A decoder used as an encoder, whose final states are read, as in embedding models based on language models. It is causal or
/// bidirectional, depending on its configuration.
///
/// `@unchecked Sendable`: the weights are only written when the decoder is created. Only one pass may run at a time, because
/// decoders have tables that grow.
public final class DecoderEncoder: Encoder, @unchecked Sendable {
    /// The dimensions of the encoder.
    public let shape: EncoderShape
    /// False: only one pass may run at a time.
    public let runsConcurrently = false
    private let decoder: any TransformerDecoder

    /// Wraps a decoder.
    public init(_ decoder: any TransformerDecoder) {
        self.decoder = decoder
        shape = EncoderShape(
            hiddenSize: decoder.shape.headWidth, vocabularySize: decoder.shape.vocabularySize, contextLength: decoder.shape.contextLength)
    }

    /// Does nothing: decoders do not pack their weights in advance.
    public func prepare() {}

    /// The final states of all tokens, [T, C].
    public func states(of inputs: [EncoderInput]) -> Tensor {
        let batch = TokenBatch(inputs.map(\.ids), isCausal: decoder.isCausal)
        return decoder.finish(decoder.run(batch, layers: 0..<decoder.shape.layerCount), on: nil)
    }
}
