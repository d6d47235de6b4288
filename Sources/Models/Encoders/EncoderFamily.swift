import Tensor

/// A family of encoders, identified by the `model_type` in config.json.
///
/// To add a family, create a value of this type and pass it to ``SequenceClassifier/load(_:families:decoders:)``,
/// ``SentenceEncoder/load(_:families:decoders:dimension:)`` or ``EncoderFolder``.
public struct EncoderFamily: Sendable {
    /// A function that creates an encoder from a configuration and the weights of a checkpoint, under the names of the base
    /// model.
    public typealias Builder = @Sendable (ConfigurationReader, any WeightSource) throws -> any Encoder
    /// A function that creates the head of a sequence classifier from a configuration, the weights and the number of labels.
    public typealias HeadBuilder = @Sendable (ConfigurationReader, WeightScope, Int) throws -> ClassifierHead

    /// The `model_type` in config.json.
    public let modelType: String
    /// The prefix of the base model's weights in checkpoints of models with a head, without the dot.
    public let prefix: String
    /// The prefixes of the weights of other tasks' heads, which are ignored.
    public let otherHeads: [String]
    /// Creates an encoder.
    public let build: Builder
    /// Creates the head of a classifier.
    public let head: HeadBuilder

    /// Creates a family from its properties.
    public init(_ modelType: String, prefix: String, otherHeads: [String], head: @escaping HeadBuilder, build: @escaping Builder) {
        self.modelType = modelType
        self.prefix = prefix
        self.otherHeads = otherHeads
        self.build = build
        self.head = head
    }

    /// Creates a family whose encoders are a ``StackedEncoder``.
    /// - Parameters:
    ///   - modelType: the `model_type` in config.json.
    ///   - prefix: the prefix of the base model's weights.
    ///   - otherHeads: the prefixes of the weights of other tasks' heads.
    ///   - head: creates the head of a classifier.
    ///   - plan: reads a configuration, and returns how the parts are created from weights.
    public init(
        _ modelType: String, prefix: String, otherHeads: [String], head: @escaping HeadBuilder,
        plan: @escaping @Sendable (ConfigurationReader) throws -> EncoderPlan
    ) {
        self.init(modelType, prefix: prefix, otherHeads: otherHeads, head: head) { file, weights in
            let plan = try plan(file)
            return StackedEncoder(plan.shape, parts: try plan.assembly(WeightScope(weights)))
        }
    }

    /// The families that the library includes.
    public static let builtIn = [bert, roberta, xlmRoberta, distilBERT, mpnet, electra, albert, debertaV2, modernBERT]
}

/// The plan of an encoder, read from its configuration: its dimensions, and how its parts are created from weights.
public struct EncoderPlan {
    /// A function that creates the parts from weights.
    public typealias Assembly = (WeightScope) throws -> StackedEncoder.Parts

    /// The dimensions of the encoder.
    public var shape: EncoderShape
    /// Creates the parts from weights.
    public var assembly: Assembly

    /// Creates a plan.
    public init(_ shape: EncoderShape, assembly: @escaping Assembly) { (self.shape, self.assembly) = (shape, assembly) }
}
