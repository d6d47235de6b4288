public import Formats
public import Tensor

/// A decoder composed of standard parts: a token embedding, a list of ``DecoderLayer``, a norm and an output projection.
///
/// A family provides the parts with their settings (``Parts``) and the names of their weights; see ``ModelFamily``.
public class StackedDecoder: TransformerDecoder {
    /// The embedding before the first layer.
    public struct Embedding {
        /// The token embedding: [V, C], or [V, E] if there is a projection.
        public var tokens: Parameter
        /// A factor of the token embeddings (Gemma); nil for none.
        public var scale: Float?
        /// The projection of token embeddings to the width of the layers, [C, E] (OPT-350m); nil for none.
        public var projection: Projection?
        /// The learned position embedding: [offset + context length, C]; nil if layers handle positions.
        public var positions: Parameter?
        /// The row of the position embedding that belongs to position 0.
        public var positionOffset: Int32
        /// A norm of the embeddings (BLOOM); nil for none.
        public var norm: Norm?

        /// Creates an embedding from its parts.
        public init(
            tokens: Parameter, scale: Float? = nil, projection: Projection? = nil, positions: Parameter? = nil, positionOffset: Int32 = 0,
            norm: Norm? = nil
        ) {
            (self.tokens, self.scale, self.projection, self.norm) = (tokens, scale, projection, norm)
            (self.positions, self.positionOffset) = (positions, positionOffset)
        }
    }

    /// The output projection after the final norm.
    public struct Output {
        /// The projection of final states to the width of the weight, [E, C] (OPT-350m); nil for none. Value heads read its results, too.
        public var projection: Projection?
        /// The weight: [V, C], or [V, E] if there is a projection; the token embedding itself if they are tied.
        public var weight: Parameter
        /// The bias: [V]; nil for none.
        public var bias: Parameter?
        /// The soft cap of the logits, `cap · tanh(logit / cap)`; nil for none.
        public var cap: Float?

        /// Creates an output projection from its parts.
        public init(projection: Projection? = nil, weight: Parameter, bias: Parameter? = nil, cap: Float? = nil) {
            (self.projection, self.weight, self.bias, self.cap) = (projection, weight, bias, cap)
        }
    }

    /// All parts of a decoder.
    public struct Parts {
        /// The embedding before the first layer.
        public var embedding: Embedding
        /// The layers.
        public var layers: [DecoderLayer]
        /// The final norm, after the last layer; nil for none.
        public var norm: Norm?
        /// The output projection.
        public var output: Output

        /// Creates the parts of a decoder.
        public init(embedding: Embedding, layers: [DecoderLayer], norm: Norm?, output: Output) {
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

    /// The parameters before the first layer: token embedding, position embedding, projection and norm.
    public final var embeddingParameters: [Parameter] {
        let embedding = parts.embedding
        return [embedding.tokens] + [embedding.positions].compactMap { $0 } + (embedding.projection?.parameters ?? [])
            + (embedding.norm?.parameters ?? [])
    }
    /// The learned position embedding; nil for none.
    public var positionParameter: Parameter? { parts.embedding.positions }
    /// The parameters of the final norm and of the projection of final states, if there are any.
    public var finalParameters: [Parameter] { (parts.norm?.parameters ?? []) + (parts.output.projection?.parameters ?? []) }
    /// The weight of the output projection, [V, C], or [V, E] if final states are projected.
    public var projection: Parameter { parts.output.weight }
    /// The bias of the output projection, [V]; nil for none.
    public var projectionBias: Parameter? { parts.output.bias }
    /// The soft cap of the logits; nil for none.
    public var logitCap: Float? { parts.output.cap }
    /// Whether the output projection is the token embedding.
    public var isTied: Bool { parts.output.weight === parts.embedding.tokens }
    /// The parameters of one layer.
    public func parameters(ofLayer index: Int) -> [Parameter] { parts.layers[index].parameters }

    /// Whether checkpoints store a matrix as [inputs, outputs]: false, unless a family says otherwise.
    public func isStoredTransposed(_ parameter: Parameter) -> Bool { false }

    /// The sliding window of a layer; nil for none.
    public func window(ofLayer index: Int) -> Int? { parts.layers[index].attention.scores.window }

    /// The embeddings of tokens at their positions: [T, C].
    public func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor {
        let embedding = parts.embedding
        var states = embedding.tokens.on(tape).embedding(of: ids)
        if let scale = embedding.scale { states = states.scaled(by: scale) }
        if let projection = embedding.projection { states = projection(states, on: tape) }
        if let places = embedding.positions {
            states = states + places.on(tape).embedding(of: positions.map { $0 + embedding.positionOffset })
        }
        return embedding.norm.map { $0(states, on: tape) } ?? states
    }

    /// Applies one layer: hidden states of all rows [T, C] to those of the wanted rows [R, C].
    public func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        parts.layers[index](states, context, index: index, dropout: dropout, on: tape)
    }

    /// Applies the final norm, [R, C], and the projection to the width of the output projection, [R, E], if there are any.
    public func finish(_ states: Tensor, on tape: Tape?) -> Tensor {
        let normed = parts.norm.map { $0(states, on: tape) } ?? states
        return parts.output.projection.map { $0(normed, on: tape) } ?? normed
    }

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
