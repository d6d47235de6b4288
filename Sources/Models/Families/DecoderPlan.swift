public import Formats
public import Tensor

/// What a family makes of a config.json: the numbers of a decoder, and how its pieces are made from weights.
public struct DecoderPlan {
    /// The family-independent numbers.
    public var shape: DecoderShape
    /// The shares of numbers that training drops.
    public var dropout: DropoutRates
    /// Whether tokens see those up to themselves alone.
    public var isCausal: Bool
    /// Makes the pieces.
    public var assembly: StackedDecoder.Assembly

    /// A plan.
    public init(
        _ shape: DecoderShape, dropout: DropoutRates = DropoutRates(), isCausal: Bool = true, assembly: @escaping StackedDecoder.Assembly
    ) {
        (self.shape, self.dropout, self.isCausal, self.assembly) = (shape, dropout, isCausal, assembly)
    }
}

extension ModelFamily {
    /// A family of ``StackedDecoder``s.
    /// - Parameters:
    ///   - modelType: the `model_type` of its config.json.
    ///   - architecture: Transformers' class of the language model.
    ///   - classifier: Transformers' class of the sequence classifier; nil where it has none.
    ///   - plan: reads the configuration. What it asks for is what ``TransformerDecoder/configuration()`` returns.
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
