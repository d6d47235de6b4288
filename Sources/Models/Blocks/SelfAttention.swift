public import Tensor

/// Causal self-attention with its projections: grouped keys, norms of queries and keys, rotary positions, windows, caps and ALiBi, each where a family
/// has it.
public struct SelfAttention {
    /// Where queries, keys and values come from.
    public enum Inputs {
        /// Three projections.
        case separate(query: Projection, key: Projection, value: Projection)
        /// One projection, whose rows are all queries, then all keys, then all values (GPT-2, Phi 3).
        case fused(Projection)
        /// One projection, whose rows are query, key and value of the first head, then those of the second (GPT-NeoX, BLOOM).
        case fusedByHead(Projection)

        var parameters: [Parameter] {
            switch self {
            case .separate(let query, let key, let value): query.parameters + key.parameters + value.parameters
            case .fused(let all), .fusedByHead(let all): all.parameters
            }
        }
    }

    /// How many heads of which width there are.
    public struct Heads: Sendable, Equatable {
        /// Heads of queries.
        public var queries: Int
        /// Heads of keys and values; each serves `queries / keys` heads of queries.
        public var keys: Int
        /// Channels of a head.
        public var dim: Int

        /// Heads; as many of keys as of queries unless given.
        public init(_ queries: Int, keys: Int? = nil, dim: Int) {
            (self.queries, self.keys, self.dim) = (queries, keys ?? queries, dim)
        }

        /// The width of all queries.
        public var width: Int { queries * dim }
        /// The width of all keys.
        public var keyWidth: Int { keys * dim }
    }

    /// The projections to queries, keys and values.
    public var inputs: Inputs
    /// The projection behind attention.
    public var output: Projection
    /// The heads.
    public var heads: Heads
    /// The norms of queries and keys; nil for none.
    public var norms: (query: HeadNorm, key: HeadNorm)?
    /// What turns queries and keys; nil where positions come in otherwise, or not at all.
    public var rotary: RotaryPositions?
    /// How products become scores.
    public var scores = AttentionScores()

    /// Attention of some projections and heads.
    public init(
        _ inputs: Inputs, output: Projection, heads: Heads, norms: (query: HeadNorm, key: HeadNorm)? = nil,
        rotary: RotaryPositions? = nil, scores: AttentionScores = AttentionScores()
    ) {
        self.inputs = inputs
        self.output = output
        self.heads = heads
        self.norms = norms
        self.rotary = rotary
        self.scores = scores
    }

    /// All parameters, in the order of the computation.
    public var parameters: [Parameter] {
        inputs.parameters + (norms.map { $0.query.parameters + $0.key.parameters } ?? []) + output.parameters
    }

    /// What attention makes of rows [T, C]: the wanted rows [R, C].
    /// - Parameters:
    ///   - layer: the index of the layer, by which the cache and dropout tell layers apart.
    ///   - dropout: the share of the keys' weights that training drops.
    public func callAsFunction(_ x: Tensor, _ context: LayerContext, layer: Int, dropout: Double, on tape: Tape?) -> Tensor {
        var (queries, keys, values) = projected(x, context, on: tape)
        if let norms {
            queries = norms.query(queries, heads: heads.queries, on: tape)
            keys = norms.key(keys, heads: heads.keys, on: tape)
        }
        if let rotary {
            queries = rotary.rotate(queries, heads: heads.queries, in: context, wantedOnly: true)
            keys = rotary.rotate(keys, heads: heads.keys, in: context, wantedOnly: false)
        }
        let mixed = context.attention(
            queries, keys, values, layer: layer, heads: heads.queries, keyHeads: heads.keys, scores: scores, dropout: dropout)
        return output(mixed, in: context, on: tape)
    }

    /// Queries of the wanted rows [R, NH·D], keys and values of all [T, KH·D].
    private func projected(_ x: Tensor, _ context: LayerContext, on tape: Tape?) -> (Tensor, Tensor, Tensor) {
        switch inputs {
        case .separate(let query, let key, let value):
            return (
                query(context.selected(x), in: context, on: tape), key(x, in: context, on: tape), value(x, in: context, on: tape)
            )
        case .fused(let projection):
            let all = projection(x, in: context, on: tape)
            let (q, k) = (heads.width, heads.keyWidth)
            return (context.selected(all.columns(0..<q)), all.columns(q..<q + k), all.columns(q + k..<q + 2 * k))
        case .fusedByHead(let projection):
            let (rows, dim) = (x.shape[0], heads.dim)
            let all = projection(x, in: context, on: tape).reshaped([rows * heads.queries, 3 * dim])
            func part(_ index: Int) -> Tensor { all.columns(index * dim..<(index + 1) * dim).reshaped([rows, heads.width]) }
            return (context.selected(part(0)), part(1), part(2))
        }
    }
}
