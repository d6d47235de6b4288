public import Tensor

/// An encoder composed of an embedding, a list of ``EncoderLayer`` and an optional final norm; see ``EncoderFamily``.
///
/// `@unchecked Sendable`: the weights are only written when the encoder is created.
public final class StackedEncoder: Encoder, @unchecked Sendable {
    /// The embedding before the first layer.
    public struct Embedding {
        /// How tokens are numbered for the position embedding.
        public enum Counting: Sendable, Equatable {
            /// From 0: 0, 1, 2 …
            case fromZero
            /// From the ID of the padding token + 1. Padding tokens within a text use the row of their ID and are not counted
            /// (RoBERTa).
            case behindPadding(Int)
        }

        /// An operation on the sum of the embeddings.
        public enum Step {
            /// A normalisation.
            case norm(Norm)
            /// A projection to the width of the layers.
            case projection(Projection)
        }

        /// The token embedding: [V, width].
        public var tokens: Parameter
        /// The position embedding: [positions, width]; nil if layers handle positions.
        public var positions: Parameter?
        /// How tokens are numbered for the position embedding.
        public var counting = Counting.fromZero
        /// The token type embedding: [types, width]; nil for none.
        public var types: Parameter?
        /// The operations on the sum of the embeddings, in this order.
        public var steps: [Step]

        /// Creates an embedding from its parts.
        public init(tokens: Parameter, positions: Parameter? = nil, counting: Counting = .fromZero, types: Parameter? = nil, steps: [Step])
        {
            self.tokens = tokens
            self.positions = positions
            self.counting = counting
            self.types = types
            self.steps = steps
        }

        func callAsFunction(_ inputs: [EncoderInput]) -> Tensor {
            var states = tokens.value.embedding(of: inputs.flatMap(\.ids))
            if let positions { states = states + positions.value.embedding(of: inputs.flatMap { counting.rows(of: $0.ids) }) }
            if let types { states = states + types.value.embedding(of: inputs.flatMap(\.types)) }
            for step in steps {
                switch step {
                case .norm(let norm): states = norm(states, on: nil)
                case .projection(let projection): states = projection(states, on: nil)
                }
            }
            return states
        }
    }

    /// All parts of an encoder.
    public struct Parts {
        /// The embedding before the first layer.
        public var embedding: Embedding
        /// The layers; the same layer may occur several times.
        public var layers: [EncoderLayer]
        /// A convolution over the embeddings that is added to the output of the first layer; nil for none.
        public var convolution: EncoderConvolution?
        /// The final norm, after the last layer; nil for none.
        public var norm: Norm?

        /// Creates the parts of an encoder.
        public init(embedding: Embedding, layers: [EncoderLayer], convolution: EncoderConvolution? = nil, norm: Norm? = nil) {
            self.embedding = embedding
            self.layers = layers
            self.convolution = convolution
            self.norm = norm
        }
    }

    /// The dimensions of the encoder.
    public let shape: EncoderShape
    /// True: several threads may run separate passes at the same time.
    public let runsConcurrently = true
    private let parts: Parts

    /// Creates an encoder from its parts.
    public init(_ shape: EncoderShape, parts: Parts) {
        self.shape = shape
        self.parts = parts
    }

    /// Packs the weights of all layers in the precision of the scope.
    public func prepare() { for layer in parts.layers { layer.prepare() } }

    /// Computes the final hidden states of all tokens, [T, C].
    public func states(of inputs: [EncoderInput]) -> Tensor {
        var last: Tensor?
        forEachLayer(inputs) { last = $0 }
        guard let last else { preconditionFailure("the embeddings are always there") }
        return parts.norm.map { $0(last, on: nil) } ?? last
    }

    /// The states after the embedding and after every layer, without the final norm, each [T, C].
    package func allStates(of inputs: [EncoderInput]) -> [Tensor] {
        var all: [Tensor] = []
        forEachLayer(inputs) { all.append($0) }
        return all
    }

    private func forEachLayer(_ inputs: [EncoderInput], _ body: (Tensor) -> Void) {
        let pass = EncoderPass(lengths: inputs.map(\.ids.count))
        let embedded = parts.embedding(inputs)
        var states = embedded
        body(states)
        for (index, layer) in parts.layers.enumerated() {
            states = layer(states, pass)
            if index == 0, let convolution = parts.convolution { states = convolution(embedded, joining: states, pass) }
            body(states)
        }
    }
}

extension StackedEncoder.Embedding.Counting {
    /// The position row of the first token of a text.
    var first: Int {
        switch self {
        case .fromZero: 0
        case .behindPadding(let padding): padding + 1
        }
    }

    func rows(of ids: [Int32]) -> [Int32] {
        switch self {
        case .fromZero: return Array(0..<Int32(ids.count))
        case .behindPadding(let padding):
            let padding = Int32(padding)
            var next = padding
            return ids.map { id in
                if id == padding { return padding }
                next += 1
                return next
            }
        }
    }
}
