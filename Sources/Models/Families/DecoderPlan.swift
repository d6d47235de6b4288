import Formats
import Tensor

/// The plan of a decoder, read from its configuration: its dimensions, and how its parts are created from weights.
public struct DecoderPlan {
    /// The dimensions of the decoder.
    public var shape: DecoderShape
    /// The dropout rates for training.
    public var dropout: DropoutRates
    /// Whether tokens see only those up to themselves.
    public var isCausal: Bool
    /// Creates the parts from weights.
    public var assembly: StackedDecoder.Assembly

    /// Creates a plan.
    public init(
        _ shape: DecoderShape, dropout: DropoutRates = DropoutRates(), isCausal: Bool = true, assembly: @escaping StackedDecoder.Assembly
    ) {
        (self.shape, self.dropout, self.isCausal, self.assembly) = (shape, dropout, isCausal, assembly)
    }
}

extension ModelFamily {
    /// Creates a family whose decoders are a ``StackedDecoder``.
    /// - Parameters:
    ///   - modelType: the `model_type` in config.json.
    ///   - architecture: the class of the language model in Transformers.
    ///   - classifier: the class of the sequence classifier in Transformers; nil for none.
    ///   - plan: reads the configuration. ``TransformerDecoder/configuration()`` returns the keys that it has read.
    public init(
        _ modelType: String, architecture: String, classifier: String?,
        plan: @escaping @Sendable (ConfigurationReader) throws -> DecoderPlan
    ) {
        self.init(modelType) { file, weights in
            let plan = try plan(file)
            var configuration = file.askedMembers
            configuration["model_type"] = .string(modelType)
            configuration["architectures"] = [.string(architecture)]
            return try StackedDecoder(
                plan.shape, dropout: plan.dropout, configuration: configuration, classifier: classifier, isCausal: plan.isCausal,
                weights: weights, assembly: plan.assembly)
        }
    }
}
