/// How attention scores are computed from the products of queries and keys.
public struct AttentionScores: Sendable, Equatable {
    /// The factor of the products; nil for 1/√D, with D the channels of a head.
    public var scale: Float?
    /// Sliding-window attention (Beltagy et al. 2020): the maximum number of keys that a query sees, the nearest ones, including
    /// itself; nil for no limit. Requires a causal layout.
    public var window: Int?
    /// Local attention in encoders: a query sees the keys on both sides whose distance from it is less than this; nil for no
    /// limit. Requires a layout that is not causal.
    public var neighbourhood: Int?
    /// Soft-capping of scores, as in Gemma 2: scores are `cap · tanh(scale · q·k / cap)`. Nil for none.
    public var cap: Float?
    /// The ALiBi slopes (Press et al. 2022), one per head: the distance between key and query, times the slope, is subtracted
    /// from the score. Empty for none. Cannot be combined with a cap.
    public var slopes: [Float]

    /// Creates score settings from the values of the properties.
    public init(scale: Float? = nil, window: Int? = nil, neighbourhood: Int? = nil, cap: Float? = nil, slopes: [Float] = []) {
        self.scale = scale
        self.window = window
        self.neighbourhood = neighbourhood
        self.cap = cap
        self.slopes = slopes
    }

    func check(heads: Int, layout: AttentionLayout) {
        precondition(
            slopes.isEmpty || (slopes.count == heads && cap == nil), "\(slopes.count) ALiBi slopes for \(heads) heads, or ALiBi with a cap")
        precondition(
            window.map { $0 > 0 && layout.segments.allSatisfy(\.isCausal) } ?? true,
            "a window must be above 0 and causal (\(window ?? 0) keys)")
        precondition(
            neighbourhood.map { $0 > 0 && !layout.segments.contains(where: \.isCausal) } ?? true,
            "a neighbourhood must be above 0 and not causal (\(neighbourhood ?? 0) keys)")
        precondition(cap.map { $0 > 0 } ?? true, "the cap of the scores must be above 0")
    }

    /// Calls `body` with the arrays of a call, completed with these settings.
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

/// Relative position terms of attention in encoders: what the distance between key and query adds to a score. Only for inference,
/// and for segments in which every query sees all keys.
///
/// A pair uses row or column `reach + key's position − query's position` of each table, so a sequence may have at most `reach +
/// 1` tokens.
public struct RelativePositions {
    /// The largest supported distance.
    public let reach: Int
    /// Biases that are added to the scaled products: [NH, 2·reach + 1] (MPNet, T5); nil for none.
    public let bias: Tensor?
    /// Relative keys, whose products with the query are added: [2·reach + 1, NH·D], "content to position" in DeBERTa (He et al.
    /// 2021); nil for none.
    public let keys: Tensor?
    /// Relative queries, whose products with the key are added: [2·reach + 1, NH·D], "position to content"; nil for none.
    public let queries: Tensor?

    /// Creates relative positions from the values of the properties.
    public init(reach: Int, bias: Tensor? = nil, keys: Tensor? = nil, queries: Tensor? = nil) {
        self.reach = reach
        self.bias = bias
        self.keys = keys
        self.queries = queries
    }

    func check(heads: Int, width: Int, layout: AttentionLayout) {
        precondition(
            layout.segments.allSatisfy { !$0.isCausal && $0.prefix.isEmpty && $0.keyBegin == $0.firstKey && $0.queries.count <= reach + 1 },
            "relative positions up to \(reach) do not support segments that are longer, causal or after a prefix")
        let rows = 2 * reach + 1
        precondition(
            bias.map { $0.shape == [heads, rows] } ?? true
                && [keys, queries].allSatisfy { $0.map { $0.shape == [rows, width] } ?? true },
            "the tensors of relative positions do not match \(heads) heads and \(rows) distances")
    }

    func apply(to arrays: inout Kernels.AttentionArrays) {
        arrays.relative_reach = reach
        arrays.relative_bias = bias?.pointer
        arrays.relative_keys = keys?.pointer
        arrays.relative_queries = queries?.pointer
    }
}
