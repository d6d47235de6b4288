import Tensor

/// Which parameters a stage leaves as they are.
public struct Freezing: Codable, Sendable, Equatable {
    /// The share of the layers, from the first, that is frozen: ⌊layers · fraction⌋ of them. 0 freezes nothing at all.
    public var fraction: Double
    /// Whether the input embedding and the output projection are frozen too (always, for a reward model).
    public var freezesEmbeddings: Bool

    /// Whether parameters stay as trainable or frozen as they are, whatever else the rule says.
    public var keepsParametersAsTheyAre = false

    /// Leaves every parameter as trainable or frozen as the caller has made it (`Parameter.isTrainable`).
    public static var asSet: Freezing {
        var rule = Freezing(fraction: 0)
        rule.keepsParametersAsTheyAre = true
        return rule
    }

    /// A rule; the paper's own is 0.8 of the layers and the embeddings.
    public init(fraction: Double = 0.8, freezesEmbeddings: Bool = true) {
        self.fraction = fraction
        self.freezesEmbeddings = freezesEmbeddings
    }

    /// The layers that the rule leaves trainable: where an adapter is put unless said otherwise, so that those below stay constant.
    public func trainedLayers(of shape: DecoderShape) -> Range<Int> {
        guard fraction > 0, !keepsParametersAsTheyAre else { return 0..<shape.layerCount }
        return min(shape.layerCount, Int(Double(shape.layerCount) * fraction))..<shape.layerCount
    }

    /// Marks the decoder's parameters as trainable or frozen. Of a decoder with an adapter, the adapter alone is trained, in whichever layers it is.
    /// - Parameter isRewardModel: a reward model has no use for the output projection, and freezes the embeddings with it.
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
