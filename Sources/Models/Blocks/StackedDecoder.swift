public import Formats
public import Tensor

/// A decoder that is put together from the common pieces: a token embedding, ``DecoderLayer``s, a norm and an output projection.
///
/// A family says which pieces with which settings (``Parts``) and under which names their weights are stored; see ``ModelFamily``.
public class StackedDecoder: TransformerDecoder {
    /// What stands in front of the first layer.
    public struct Embedding {
        /// One row a token: [V, C].
        public var tokens: Parameter
        /// What the rows are multiplied by (Gemma); nil for nothing.
        public var scale: Float?
        /// One row a position: [context, C]; nil where layers bring in positions.
        public var positions: Parameter?
        /// A norm of the sum (BLOOM); nil for none.
        public var norm: Norm?

        /// An embedding.
        public init(tokens: Parameter, scale: Float? = nil, positions: Parameter? = nil, norm: Norm? = nil) {
            (self.tokens, self.scale, self.positions, self.norm) = (tokens, scale, positions, norm)
        }
    }

    /// What stands behind the last norm.
    public struct Output {
        /// [V, C]; the token embedding itself where they are tied.
        public var weight: Parameter
        /// [V]; nil for none.
        public var bias: Parameter?
        /// Bounds the logits: `cap · tanh(logit / cap)`; nil for no bound.
        public var cap: Float?

        /// An output projection.
        public init(weight: Parameter, bias: Parameter? = nil, cap: Float? = nil) {
            (self.weight, self.bias, self.cap) = (weight, bias, cap)
        }
    }

    /// All pieces.
    public struct Parts {
        /// What stands in front of the first layer.
        public var embedding: Embedding
        /// The layers.
        public var layers: [DecoderLayer]
        /// The norm behind the last layer.
        public var norm: Norm
        /// The output projection.
        public var output: Output

        /// The pieces of a decoder.
        public init(embedding: Embedding, layers: [DecoderLayer], norm: Norm, output: Output) {
            (self.embedding, self.layers, self.norm, self.output) = (embedding, layers, norm, output)
        }
    }

    /// Makes the pieces from weights.
    public typealias Assembly = (any WeightSource) throws -> Parts

    public let shape: DecoderShape
    private let rates: DropoutRates
    public var dropout: DropoutRates { rates.with(adapter) }
    public let adapter: Adapter?
    private let parts: Parts
    /// The layers, from the first.
    package var layers: [DecoderLayer] { parts.layers }
    private let assembly: Assembly
    private let settings: JSONValue
    public let classifierArchitecture: String?
    public let isCausal: Bool

    /// A decoder with weights of a checkpoint or fresh ones.
    /// - Parameters:
    ///   - configuration: what config.json says about the model, `model_type` and `architectures` among it; what ``configuration()`` returns.
    ///   - classifier: Transformers' class of the sequence classifier; nil where it has none.
    ///   - isCausal: whether tokens see those up to themselves alone.
    ///   - assembly: makes the pieces; it is called again for a copy.
    /// - Throws: what `assembly` throws.
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

    public final var embeddingParameters: [Parameter] {
        [parts.embedding.tokens] + [parts.embedding.positions].compactMap { $0 } + (parts.embedding.norm?.parameters ?? [])
    }
    public var positionParameter: Parameter? { parts.embedding.positions }
    public var finalParameters: [Parameter] { parts.norm.parameters }
    public var projection: Parameter { parts.output.weight }
    public var projectionBias: Parameter? { parts.output.bias }
    public var logitCap: Float? { parts.output.cap }
    public var isTied: Bool { parts.output.weight === parts.embedding.tokens }
    public func parameters(ofLayer index: Int) -> [Parameter] { parts.layers[index].parameters }

    public func window(ofLayer index: Int) -> Int? { parts.layers[index].attention.scores.window }

    public func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor {
        let embedding = parts.embedding
        var states = embedding.tokens.on(tape).embedding(of: ids)
        if let scale = embedding.scale { states = states.scaled(by: scale) }
        if let places = embedding.positions { states = states + places.on(tape).embedding(of: positions) }
        return embedding.norm.map { $0(states, on: tape) } ?? states
    }

    public func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        parts.layers[index](states, context, index: index, dropout: dropout, on: tape)
    }

    public func finish(_ states: Tensor, on tape: Tape?) -> Tensor { parts.norm(states, on: tape) }

    public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder {
        try StackedDecoder(
            shape, dropout: rates, configuration: settings, classifier: classifierArchitecture, isCausal: isCausal, weights: weights,
            assembly: assembly)
    }

    public func configuration() -> JSONValue { settings }
}
