public import Tensor

/// Causal self-attention with its projections. Optional, depending on the family: grouped keys, norms of queries and keys, rotary
/// positions, sliding windows, soft caps and ALiBi.
public struct SelfAttention {
    /// The projections of queries, keys and values.
    public enum Inputs {
        /// Three separate projections.
        case separate(query: Projection, key: Projection, value: Projection)
        /// One projection whose rows are all queries, then all keys, then all values (GPT-2, Phi 3).
        case fused(Projection)
        /// One projection whose rows are query, key and value of the first head, then of the second, and so on (GPT-NeoX, BLOOM).
        case fusedByHead(Projection)

        var parameters: [Parameter] {
            switch self {
            case .separate(let query, let key, let value): query.parameters + key.parameters + value.parameters
            case .fused(let all), .fusedByHead(let all): all.parameters
            }
        }
    }

    /// The number and size of attention heads.
    public struct Heads: Sendable, Equatable {
        /// The number of query heads, NH.
        public var queries: Int
        /// The number of key/value heads, KH; each serves `queries / keys` query heads.
        public var keys: Int
        /// The number of channels of a head, D.
        public var dim: Int

        /// Creates the numbers of heads. Default: as many key/value heads as query heads.
        public init(_ queries: Int, keys: Int? = nil, dim: Int) {
            (self.queries, self.keys, self.dim) = (queries, keys ?? queries, dim)
        }

        /// The width of all queries, NH·D.
        public var width: Int { queries * dim }
        /// The width of all keys, KH·D.
        public var keyWidth: Int { keys * dim }
    }

    /// The projections of queries, keys and values.
    public var inputs: Inputs
    /// The output projection.
    public var output: Projection
    /// The number and size of heads.
    public var heads: Heads
    /// The norms of queries and keys; nil for none.
    public var norms: (query: HeadNorm, key: HeadNorm)?
    /// The rotary position embedding; nil for none.
    public var rotary: RotaryPositions?
    /// How scores are computed from the products of queries and keys.
    public var scores = AttentionScores()

    /// Creates attention from its parts.
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

    /// All parameters, in the order of computation.
    public var parameters: [Parameter] {
        inputs.parameters + (norms.map { $0.query.parameters + $0.key.parameters } ?? []) + output.parameters
    }

    /// Whether attention reads its input of `rows` rows only in products that round it to bfloat16; see ``Projection/roundsInput(rows:)``.
    func roundsInput(rows: Int) -> Bool {
        switch inputs {
        case .separate(let query, let key, let value): [query, key, value].allSatisfy { $0.roundsInput(rows: rows) }
        case .fused(let all), .fusedByHead(let all): all.roundsInput(rows: rows)
        }
    }

    /// Applies attention to rows [T, C]; the result is that of the wanted rows, [R, C].
    /// - Parameters:
    ///   - x: the normalised states of all rows.
    ///   - context: positions, layout, cache and dropout of the pass.
    ///   - layer: the index of the layer, for the cache and for dropout.
    ///   - dropout: the dropout rate of attention weights.
    ///   - tape: the tape that records the pass; nil for inference.
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

    /// The queries of the wanted rows [R, NH·D], and the keys and values of all rows [T, KH·D].
    private func projected(_ x: Tensor, _ context: LayerContext, on tape: Tape?) -> (Tensor, Tensor, Tensor) {
        switch inputs {
        case .separate(let query, let key, let value):
            // if not all rows are wanted, queries have another input
            guard context.wanted == nil else {
                let queries = query(context.selected(x), in: context, on: tape)
                let others = Projection.applied([key, value], to: x, in: context, on: tape)
                return (queries, others[0], others[1])
            }
            let all = Projection.applied([query, key, value], to: x, in: context, on: tape)
            return (all[0], all[1], all[2])
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
