public import Tensor

/// A family of encoders: what a `model_type` of config.json stands for.
///
/// One of your own is a value of this type that you pass to ``SequenceClassifier/load(_:families:)``, ``SentenceEncoder/load(_:families:)`` or
/// ``EncoderFolder``.
public struct EncoderFamily: Sendable {
    /// Makes an encoder of a configuration and the weights of a checkpoint, which have the names of the base model.
    public typealias Builder = @Sendable (ConfigurationReader, any WeightSource) throws -> any Encoder
    /// Makes the head of a sequence classifier: from the configuration, the weights, with so many labels.
    public typealias HeadBuilder = @Sendable (ConfigurationReader, WeightScope, Int) throws -> ClassifierHead

    /// The `model_type` of its config.json.
    public let modelType: String
    /// What names of the base model's weights begin with in checkpoints of models with a head, without the dot.
    public let prefix: String
    /// What the names of weights begin with that belong to heads of other tasks; they are left where they are.
    public let otherHeads: [String]
    /// Makes an encoder.
    public let build: Builder
    /// Makes a classifier's head.
    public let head: HeadBuilder

    /// A family.
    public init(_ modelType: String, prefix: String, otherHeads: [String], head: @escaping HeadBuilder, build: @escaping Builder) {
        self.modelType = modelType
        self.prefix = prefix
        self.otherHeads = otherHeads
        self.build = build
        self.head = head
    }

    /// A family of ``StackedEncoder``s.
    /// - Parameter plan: reads the configuration, and says how the pieces are made from weights.
    public init(
        _ modelType: String, prefix: String, otherHeads: [String], head: @escaping HeadBuilder,
        plan: @escaping @Sendable (ConfigurationReader) throws -> EncoderPlan
    ) {
        self.init(modelType, prefix: prefix, otherHeads: otherHeads, head: head) { file, weights in
            let plan = try plan(file)
            return StackedEncoder(plan.shape, parts: try plan.assembly(WeightScope(weights)))
        }
    }

    /// The families that come with the library.
    public static let builtIn = [bert, roberta, xlmRoberta, distilBERT, mpnet, electra, albert, debertaV2, modernBERT]
}

/// What a family makes of a config.json: the numbers of an encoder, and how its pieces are made from weights.
public struct EncoderPlan {
    /// Makes the pieces.
    public typealias Assembly = (WeightScope) throws -> StackedEncoder.Parts

    /// The family-independent numbers.
    public var shape: EncoderShape
    /// Makes the pieces.
    public var assembly: Assembly

    /// A plan.
    public init(_ shape: EncoderShape, assembly: @escaping Assembly) { (self.shape, self.assembly) = (shape, assembly) }
}
