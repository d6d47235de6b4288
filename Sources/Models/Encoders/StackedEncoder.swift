public import Tensor

/// An encoder that is put together from embeddings, ``EncoderLayer``s and norms; see ``EncoderFamily``.
///
/// Unchecked: the weights are written when the encoder is made and read from then on.
public final class StackedEncoder: Encoder, @unchecked Sendable {
    /// What stands in front of the first layer.
    public struct Embedding {
        /// How tokens get their rows in the table of positions.
        public enum Counting: Sendable, Equatable {
            /// 0, 1, 2 …
            case fromZero
            /// From the row behind the padding token's id; a padding token inside of a text has the row of its id and is not counted (RoBERTa).
            case behindPadding(Int)
        }

        /// What is done to the sum of the rows.
        public enum Step {
            /// It is normalised.
            case norm(Norm)
            /// It gets the width of the layers.
            case projection(Projection)
        }

        /// One row a token.
        public var tokens: Parameter
        /// One row a position; nil where layers bring in positions.
        public var positions: Parameter?
        /// How positions are counted.
        public var counting = Counting.fromZero
        /// One row a token type; nil for none.
        public var types: Parameter?
        /// What is done to the sum, in this order.
        public var steps: [Step]

        /// An embedding.
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

    /// All pieces.
    public struct Parts {
        /// What stands in front of the first layer.
        public var embedding: Embedding
        /// The layers; one may stand at several places.
        public var layers: [EncoderLayer]
        /// A convolution over the embeddings that joins the first layer's output; nil for none.
        public var convolution: EncoderConvolution?
        /// The norm behind the last layer; nil for none.
        public var norm: Norm?

        /// The pieces of an encoder.
        public init(embedding: Embedding, layers: [EncoderLayer], convolution: EncoderConvolution? = nil, norm: Norm? = nil) {
            self.embedding = embedding
            self.layers = layers
            self.convolution = convolution
            self.norm = norm
        }
    }

    public let shape: EncoderShape
    public let runsConcurrently = true
    private let parts: Parts

    /// An encoder of some pieces.
    public init(_ shape: EncoderShape, parts: Parts) {
        self.shape = shape
        self.parts = parts
    }

    public func prepare() { for layer in parts.layers { layer.prepare() } }

    public func states(of inputs: [EncoderInput]) -> Tensor {
        var last: Tensor?
        forEachLayer(inputs) { last = $0 }
        guard let last else { preconditionFailure("the embeddings are always there") }
        return parts.norm.map { $0(last, on: nil) } ?? last
    }

    /// The states behind the embeddings and behind every layer, without the last norm, each [T, C].
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
    /// The row of the first token of a text.
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
