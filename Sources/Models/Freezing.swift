import Tensor

/// A rule for which parameters a training stage freezes.
public struct Freezing: Codable, Sendable, Equatable {
    /// The fraction of the layers to freeze: the first ⌊layers · fraction⌋. 0 freezes nothing, including the embeddings.
    public var fraction: Double
    /// Whether the input embedding and the output projection are frozen as well. For a reward model they always are.
    public var freezesEmbeddings: Bool

    /// Whether to leave all parameters as trainable or frozen as they are, regardless of the other properties.
    public var keepsParametersAsTheyAre = false

    /// A rule that leaves every parameter as trainable or frozen as the caller has set it (`Parameter.isTrainable`).
    public static var asSet: Freezing {
        var rule = Freezing(fraction: 0)
        rule.keepsParametersAsTheyAre = true
        return rule
    }

    /// Creates a rule. Default: 80% of the layers and the embeddings are frozen.
    public init(fraction: Double = 0.8, freezesEmbeddings: Bool = true) {
        self.fraction = fraction
        self.freezesEmbeddings = freezesEmbeddings
    }

    /// The layers that remain trainable. Adapters are put there by default, so that the layers below stay constant.
    public func trainedLayers(of shape: DecoderShape) -> Range<Int> {
        guard fraction > 0, !keepsParametersAsTheyAre else { return 0..<shape.layerCount }
        return min(shape.layerCount, Int(Double(shape.layerCount) * fraction))..<shape.layerCount
    }

    /// Marks the decoder's parameters as trainable or frozen. If the decoder has an adapter, only the adapter is trained, in all
    /// of its layers.
    /// - Parameters:
    ///   - decoder: the decoder.
    ///   - isRewardModel: whether the decoder belongs to a reward model, which does not use the output projection and freezes the
    ///     embeddings if any layers are frozen.
    public func apply(to decoder: some TransformerDecoder, isRewardModel: Bool = false) {
        if keepsParametersAsTheyAre { return }
        if let adapter = decoder.adapter {
            decoder.parameters.forEach { $0.isTrainable = false }
            return adapter.parameters.forEach { $0.isTrainable = true }
        }
        decoder.parameters.forEach { $0.isTrainable = true }
        if isRewardModel && !decoder.isTied { decoder.projection.isTrainable = false }
        if isRewardModel { decoder.projectionBias?.isTrainable = false }
        guard fraction > 0 else { return }
        for layer in 0..<trainedLayers(of: decoder.shape).lowerBound {
            decoder.parameters(ofLayer: layer).forEach { $0.isTrainable = false }
        }
        decoder.positionParameter?.isTrainable = false
        if freezesEmbeddings || isRewardModel {
            decoder.embeddingParameters.forEach { $0.isTrainable = false }
            decoder.projection.isTrainable = false
            decoder.projectionBias?.isTrainable = false
        }
    }
}
