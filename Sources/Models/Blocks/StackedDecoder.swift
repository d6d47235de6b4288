public import Formats
public import Tensor

/// A decoder composed of standard parts: a token embedding, a list of ``DecoderLayer``, a norm and an output projection.
///
/// A family provides the parts with their settings (``Parts``) and the names of their weights; see ``ModelFamily``.
public class StackedDecoder: TransformerDecoder {
    /// The embedding before the first layer.
    public struct Embedding {
        /// The token embedding: [V, C].
        public var tokens: Parameter
        /// A factor of the token embeddings (Gemma); nil for none.
        public var scale: Float?
        /// The learned position embedding: [context length, C]; nil if layers handle positions.
        public var positions: Parameter?
        /// A norm of the embeddings (BLOOM); nil for none.
        public var norm: Norm?

        /// Creates an embedding from its parts.
        public init(tokens: Parameter, scale: Float? = nil, positions: Parameter? = nil, norm: Norm? = nil) {
            (self.tokens, self.scale, self.positions, self.norm) = (tokens, scale, positions, norm)
        }
    }

    /// The output projection after the final norm.
    public struct Output {
        /// The weight: [V, C]; the token embedding itself if they are tied.
        public var weight: Parameter
        /// The bias: [V]; nil for none.
        public var bias: Parameter?
        /// The soft cap of the logits, `cap · tanh(logit / cap)`; nil for none.
        public var cap: Float?

        /// Creates an output projection from its parts.
        public init(weight: Parameter, bias: Parameter? = nil, cap: Float? = nil) {
            (self.weight, self.bias, self.cap) = (weight, bias, cap)
        }
    }

    /// All parts of a decoder.
    public struct Parts {
        /// The embedding before the first layer.
        public var embedding: Embedding
        /// The layers.
        public var layers: [DecoderLayer]
        /// The final norm, after the last layer.
        public var norm: Norm
        /// The output projection.
        public var output: Output

        /// Creates the parts of a decoder.
        public init(embedding: Embedding, layers: [DecoderLayer], norm: Norm, output: Output) {
            (self.embedding, self.layers, self.norm, self.output) = (embedding, layers, norm, output)
        }
    }

    /// A function that creates the parts from weights.
    public typealias Assembly = (any WeightSource) throws -> Parts

    /// The dimensions of the decoder.
    public let shape: DecoderShape
    private let rates: DropoutRates
    /// The dropout rates, including that of the adapter.
    public var dropout: DropoutRates { rates.with(adapter) }
    /// The adapter; nil for none.
    public let adapter: Adapter?
    private let parts: Parts
    /// The layers, from the first.
    package var layers: [DecoderLayer] { parts.layers }
    private let assembly: Assembly
    private let settings: JSONValue
    /// The name of the family's sequence classifier in Transformers; nil if there is none.
    public let classifierArchitecture: String?
    /// Whether tokens see only those up to themselves.
    public let isCausal: Bool

    /// Creates a decoder from the weights of a checkpoint or newly initialised ones.
    /// - Parameters:
    ///   - shape: the dimensions.
    ///   - dropout: the dropout rates.
    ///   - configuration: the model's config.json, including `model_type` and `architectures`; ``configuration()`` returns it.
    ///   - classifier: the class of the family's sequence classifier in Transformers; nil for none.
    ///   - isCausal: whether tokens see only those up to themselves.
    ///   - weights: the source of the weights.
    ///   - assembly: creates the parts from the weights; called again for a copy.
    /// - Throws: errors of `assembly`.
    public init(
        _ shape: DecoderShape, dropout: DropoutRates = DropoutRates(), configuration: JSONValue, classifier: String? = nil,
        isCausal: Bool = true, weights: any WeightSource, assembly: @escaping Assembly
    ) throws {
        self.shape = shape
        rates = dropout
        self.assembly = assembly
        settings = configuration
        classifierArchitecture = classifier
        self.isCausal = isCausal
        parts = try assembly(weights)
        adapter = weights.adapter?.finished()
        precondition(parts.layers.count == shape.layerCount, "\(parts.layers.count) layers were made of \(shape.layerCount)")
    }

    /// The parameters before the first layer: token embedding, position embedding and norm.
    public final var embeddingParameters: [Parameter] {
        [parts.embedding.tokens] + [parts.embedding.positions].compactMap { $0 } + (parts.embedding.norm?.parameters ?? [])
    }
    /// The learned position embedding; nil for none.
    public var positionParameter: Parameter? { parts.embedding.positions }
    /// The parameters of the final norm.
    public var finalParameters: [Parameter] { parts.norm.parameters }
    /// The weight of the output projection, [V, C].
    public var projection: Parameter { parts.output.weight }
    /// The bias of the output projection, [V]; nil for none.
    public var projectionBias: Parameter? { parts.output.bias }
    /// The soft cap of the logits; nil for none.
    public var logitCap: Float? { parts.output.cap }
    /// Whether the output projection is the token embedding.
    public var isTied: Bool { parts.output.weight === parts.embedding.tokens }
    /// The parameters of one layer.
    public func parameters(ofLayer index: Int) -> [Parameter] { parts.layers[index].parameters }

    /// The sliding window of a layer; nil for none.
    public func window(ofLayer index: Int) -> Int? { parts.layers[index].attention.scores.window }

    /// The embeddings of tokens at their positions: [T, C].
    public func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor {
        let embedding = parts.embedding
        var states = embedding.tokens.on(tape).embedding(of: ids)
        if let scale = embedding.scale { states = states.scaled(by: scale) }
        if let places = embedding.positions { states = states + places.on(tape).embedding(of: positions) }
        return embedding.norm.map { $0(states, on: tape) } ?? states
    }

    /// Applies one layer: hidden states of all rows [T, C] to those of the wanted rows [R, C].
    public func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        parts.layers[index](states, context, index: index, dropout: dropout, on: tape)
    }

    /// Applies the final norm: [R, C].
    public func finish(_ states: Tensor, on tape: Tape?) -> Tensor { parts.norm(states, on: tape) }

    /// A decoder of the same configuration with other weights.
    /// - Throws: errors of the assembly, such as `CheckpointError` for a missing weight.
    public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder {
        try StackedDecoder(
            shape, dropout: rates, configuration: settings, classifier: classifierArchitecture, isCausal: isCausal, weights: weights,
            assembly: assembly)
    }

    /// The configuration that the decoder was created with.
    public func configuration() -> JSONValue { settings }
}
