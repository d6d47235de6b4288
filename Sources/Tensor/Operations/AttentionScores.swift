/// How the products of queries and keys become scores, where that is more than a scale.
public struct AttentionScores: Sendable, Equatable {
    /// What products are multiplied by; nil for 1/√D, with D the channels of a head.
    public var scale: Float?
    /// A query sees that many keys at most, the nearest ones, itself included (Beltagy et al. 2020); nil for all. Causal layouts alone.
    public var window: Int?
    /// A query sees the keys whose distance from it is below that, on both sides; nil for all. Layouts that are not causal alone.
    public var neighbourhood: Int?
    /// Scores are `cap · tanh(scale · q·k / cap)`, as in Gemma 2; nil for none.
    public var cap: Float?
    /// Slopes of ALiBi (Press et al. 2022), one a head: the distance of a key from the query, times its head's slope, is taken from a score. Empty for
    /// none; never with a cap.
    public var slopes: [Float]

    /// Scores; see the properties.
    public init(scale: Float? = nil, window: Int? = nil, neighbourhood: Int? = nil, cap: Float? = nil, slopes: [Float] = []) {
        self.scale = scale
        self.window = window
        self.neighbourhood = neighbourhood
        self.cap = cap
        self.slopes = slopes
    }

    func check(heads: Int, layout: AttentionLayout) {
        precondition(
            slopes.isEmpty || (slopes.count == heads && cap == nil), "\(slopes.count) ALiBi slopes for \(heads) heads, or with a cap")
        precondition(
            window.map { $0 > 0 && layout.segments.allSatisfy(\.isCausal) } ?? true,
            "a window of \(window ?? 0) keys, or one without causal order")
        precondition(
            neighbourhood.map { $0 > 0 && !layout.segments.contains(where: \.isCausal) } ?? true,
            "a neighbourhood of \(neighbourhood ?? 0) keys, or one in causal order")
        precondition(cap.map { $0 > 0 } ?? true, "a cap of scores must be above 0")
    }

    /// Calls `body` with a call's arrays, to which these scores are added.
    func apply(to arrays: Kernels.AttentionArrays, _ body: (Kernels.AttentionArrays) -> Void) {
        var arrays = arrays
        arrays.scale = scale ?? 1 / Float(arrays.dim).squareRoot()
        arrays.window = window ?? 0
        arrays.neighbourhood = neighbourhood ?? 0
        arrays.cap = cap ?? 0
        guard !slopes.isEmpty else { return body(arrays) }
        slopes.withUnsafeBufferPointer {
            arrays.slopes = $0.baseAddress
            body(arrays)
        }
    }
}

/// What the distance of a key from a query adds to their product, in encoders: off any tape, for segments that see all of their keys.
///
/// Row or column `reach + key's position − query's position` of each counts, so every text must have at most `reach + 1` tokens.
public struct RelativePositions {
    /// The largest distance that there is.
    public let reach: Int
    /// Added to scaled products: [NH, 2·reach + 1] (MPNet, T5); nil for none.
    public let bias: Tensor?
    /// Their products with the query are added: [2·reach + 1, NH·D], "content to position" of DeBERTa (He et al. 2021); nil for none.
    public let keys: Tensor?
    /// Their products with the key are added: the same shape, "position to content"; nil for none.
    public let queries: Tensor?

    /// Relative positions; see the properties.
    public init(reach: Int, bias: Tensor? = nil, keys: Tensor? = nil, queries: Tensor? = nil) {
        self.reach = reach
        self.bias = bias
        self.keys = keys
        self.queries = queries
    }

    func check(heads: Int, width: Int, layout: AttentionLayout) {
        precondition(
            layout.segments.allSatisfy { !$0.isCausal && $0.prefix.isEmpty && $0.keyBegin == $0.firstKey && $0.queries.count <= reach + 1 },
            "relative positions up to \(reach) for segments that are longer, causal or behind a prefix")
        let rows = 2 * reach + 1
        precondition(
            bias.map { $0.shape == [heads, rows] } ?? true
                && [keys, queries].allSatisfy { $0.map { $0.shape == [rows, width] } ?? true },
            "relative positions of \(heads) heads and \(rows) distances with other shapes")
    }

    func apply(to arrays: inout Kernels.AttentionArrays) {
        arrays.relative_reach = reach
        arrays.relative_bias = bias?.pointer
        arrays.relative_keys = keys?.pointer
        arrays.relative_queries = queries?.pointer
    }
}
