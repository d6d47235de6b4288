import Synchronization
public import Tensor

/// One layer of an encoder for inference: bidirectional attention and a feed-forward part.
///
/// It is a class, because layers can be shared (ALBERT) and because it caches packed weights for the precisions in use.
/// `@unchecked Sendable`: the weights are only written when the layer is created.
public final class EncoderLayer: @unchecked Sendable {
    /// The arrangement of norms and residual connections. A is attention, F the feed-forward part, nᵢ are norms.
    public enum Order {
        /// Post-norm: x ← n₁(x + A x), then x ← n₂(x + F x). BERT.
        case normsBehind(attention: Norm, feedForward: Norm)
        /// Pre-norm: x ← x + A(n₁ x), then x ← x + F(n₂ x). ModernBERT, whose first layer has no n₁.
        case normsBefore(attention: Norm?, feedForward: Norm)
    }

    /// How a layer takes positions into account.
    public enum Positions {
        /// Not at all: positions are part of the embeddings.
        case none
        /// Rotary position embedding of queries and keys.
        case rotary(RotaryTable)
        /// Relative position terms that are added to scores.
        case relative(any RelativePositionSource)
    }

    private struct Packed: Sendable {
        let inputs: FusedLinear
        let output: FusedLinear
        let up: FusedLinear
        let down: FusedLinear
    }

    private let order: Order
    private let inputs: [Projection]
    private let output: Projection
    private let heads: Int
    private let positions: Positions
    private let scores: AttentionScores
    private let feedForward: FeedForward
    private let packed = Mutex<[Compute.Precision: Packed]>([:])

    /// Creates a layer.
    /// - Parameters:
    ///   - order: the arrangement of norms and residual connections.
    ///   - inputs: the projections of queries, keys and values, or a single projection of all three.
    ///   - output: the output projection of attention.
    ///   - heads: the number of attention heads.
    ///   - positions: how positions are taken into account.
    ///   - scores: how attention scores are computed.
    ///   - feedForward: the feed-forward part.
    public init(
        _ order: Order, inputs: [Projection], output: Projection, heads: Int, positions: Positions = .none,
        scores: AttentionScores = AttentionScores(), feedForward: FeedForward
    ) {
        self.order = order
        self.inputs = inputs
        self.output = output
        self.heads = heads
        self.positions = positions
        self.scores = scores
        self.feedForward = feedForward
    }

    /// Packs the weights in the precision of the scope.
    func prepare() { _ = weights() }

    private func weights() -> Packed {
        packed.withLock { known in
            let precision = Compute.precision
            if let made = known[precision] { return made }
            func layer(_ projections: [Projection]) -> FusedLinear {
                FusedLinear(projections.map { ($0.weight.value, $0.bias?.value) }, precision: precision)
            }
            let (up, down): ([Projection], Projection) =
                switch feedForward {
                case .gated(let gate, let up, let down, _): ([gate, up], down)
                case .gatedFused(let up, let down, _), .plain(let up, let down, _): ([up], down)
                }
            let made = Packed(inputs: layer(inputs), output: layer([output]), up: layer(up), down: layer([down]))
            known[precision] = made
            return made
        }
    }

    /// Applies the layer to the states of all tokens, [T, C].
    func callAsFunction(_ states: Tensor, _ pass: EncoderPass) -> Tensor {
        let weights = weights()
        switch order {
        case .normsBehind(let first, let second):
            let mixed = attended(states, weights, pass)
            let middle = first(weights.output(mixed, adding: states), on: nil)
            return second(weights.down(inner(middle, weights), adding: middle), on: nil)
        case .normsBefore(let first, let second):
            let mixed = attended(first.map { $0(states, on: nil) } ?? states, weights, pass)
            let middle = weights.output(mixed, adding: states)
            return weights.down(inner(second(middle, on: nil), weights), adding: middle)
        }
    }

    /// The output of attention before the output projection: [T, C].
    private func attended(_ x: Tensor, _ weights: Packed, _ pass: EncoderPass) -> Tensor {
        let all = weights.inputs(x)  // [T, 3C]
        switch positions {
        case .none: return all.attendingWithin(layout: pass.layout, heads: heads, scores: scores)
        case .relative(let source):
            return all.attendingWithin(layout: pass.layout, heads: heads, scores: scores, relative: pass.relative(source))
        case .rotary(let table):
            let width = all.shape[1] / 3
            func turned(_ part: Int) -> Tensor {
                all.columns(part * width..<(part + 1) * width).rotated(
                    heads: heads, positions: pass.positions, table: table, pairs: .halves)
            }
            return turned(0).attending(
                keys: turned(1), values: all.columns(2 * width..<3 * width), layout: pass.layout, heads: heads, keyHeads: heads,
                scores: scores)
        }
    }

    /// The hidden activations of the feed-forward part: [T, F].
    private func inner(_ x: Tensor, _ weights: Packed) -> Tensor {
        switch feedForward {
        case .plain(_, _, .relu): return weights.up(x, then: .relu)
        case .plain(_, _, .gelu): return weights.up(x, then: .gelu)
        case .plain(_, _, .geluNew), .plain(_, _, .geluTanh), .plain(_, _, .geluFast): return weights.up(x, then: .geluTanh)
        case .plain(_, _, let activation): return activation(weights.up(x))
        case .gated(_, _, _, let activation), .gatedFused(_, _, let activation):
            let both = weights.up(x)
            let width = both.shape[1] / 2
            return activation(gate: both.columns(0..<width), up: both.columns(width..<2 * width))
        }
    }
}

/// A source of relative position terms of attention scores, for texts of any length.
public protocol RelativePositionSource: AnyObject, Sendable {
    /// The tables for texts of at most `longest` tokens.
    func positions(longest: Int) -> RelativePositions
}

/// The data that all layers share in one pass over a batch of texts.
final class EncoderPass {
    let layout: AttentionLayout
    let positions: [Int32]
    private let longest: Int
    private var relative: [ObjectIdentifier: RelativePositions] = [:]

    init(lengths: [Int]) {
        layout = AttentionLayout(lengths: lengths, isCausal: false)
        positions = lengths.flatMap { 0..<Int32($0) }
        longest = lengths.max() ?? 0
    }

    /// The tables of a source, which are computed once for all layers that share it.
    func relative(_ source: any RelativePositionSource) -> RelativePositions {
        let key = ObjectIdentifier(source)
        if let known = relative[key] { return known }
        let made = source.positions(longest: longest)
        relative[key] = made
        return made
    }
}
