public import Tensor

/// A decoder layer: attention and a feed-forward part, combined with norms and residual connections in one of the usual ways.
public struct DecoderLayer {
    /// The arrangement of norms and residual connections. A is attention, F the feed-forward part, nᵢ are norms.
    public enum Order {
        /// Pre-norm: x ← x + A(n₁ x), then x ← x + F(n₂ x). LLaMA, GPT-2 and most others.
        case normsBefore(attention: Norm, feedForward: Norm)
        /// Pre-norm with normalised residuals: h = n₁ x, m = n₂(h + A(h)), x ← m + F(m). BLOOM with
        /// `apply_residual_connection_post_layernorm`.
        case normsBeforeAndInSum(attention: Norm, feedForward: Norm)
        /// Norms of the outputs: x ← x + n₁ A(x), then x ← x + n₂ F(x). OLMo 2.
        case normsBehind(attention: Norm, feedForward: Norm)
        /// Post-norm: x ← n₁(x + A(x)), then x ← n₂(x + F(x)). The original transformer (Vaswani et al. 2017) and OPT-350m.
        case normsOfSums(attention: Norm, feedForward: Norm)
        /// Norms of inputs and outputs: x ← x + n₂ A(n₁ x), then x ← x + n₄ F(n₃ x). Gemma 2 and 3.
        case normsAround(beforeAttention: Norm, behindAttention: Norm, beforeFeedForward: Norm, behindFeedForward: Norm)
        /// Both parts in parallel: x ← x + A(n₁ x) + F(n₂ x). GPT-NeoX. Without n₂, both read n₁ x: GPT-J, Phi.
        case parallel(attention: Norm, feedForward: Norm?)

        var parameters: (attention: [Parameter], feedForward: [Parameter]) {
            switch self {
            case .normsBefore(let a, let f), .normsBeforeAndInSum(let a, let f), .normsBehind(let a, let f), .normsOfSums(let a, let f):
                (a.parameters, f.parameters)
            case .normsAround(let a, let b, let c, let d): (a.parameters + b.parameters, c.parameters + d.parameters)
            case .parallel(let a, let f): (a.parameters, f?.parameters ?? [])
            }
        }
    }

    /// The arrangement of norms and residual connections.
    public var order: Order
    /// The attention part.
    public var attention: SelfAttention
    /// The feed-forward part.
    public var feedForward: FeedForward
    /// Whether ``DropoutRates/residual`` applies to the output of attention as well as to that of the feed-forward part.
    public var dropsAttention = true

    /// Creates a layer from its arrangement and its two parts.
    public init(_ order: Order, _ attention: SelfAttention, _ feedForward: FeedForward, dropsAttention: Bool = true) {
        self.order = order
        self.attention = attention
        self.feedForward = feedForward
        self.dropsAttention = dropsAttention
    }

    /// All parameters, in the order of computation.
    public var parameters: [Parameter] {
        order.parameters.attention + attention.parameters + order.parameters.feedForward + feedForward.parameters
    }

    /// Applies the layer: states of all rows [T, C] to those of the wanted rows [R, C].
    func callAsFunction(_ states: Tensor, _ context: LayerContext, index: Int, dropout: DropoutRates, on tape: Tape?) -> Tensor {
        func attended(_ x: Tensor) -> Tensor {
            let mixed = attention(x, context, layer: index, dropout: dropout.attention, on: tape)
            return dropsAttention ? context.dropped(mixed, .attentionOutput, layer: index, rate: dropout.residual) : mixed
        }
        func fed(_ x: Tensor) -> Tensor {
            context.dropped(feedForward(x, in: context, on: tape), .feedForwardOutput, layer: index, rate: dropout.residual)
        }
        // norms that only products read, which round them in bf16, make no floats
        func beforeAttention(_ norm: Norm, _ x: Tensor) -> Tensor {
            norm(x, on: tape, isRounded: attention.roundsInput(rows: x.shape[0]))
        }
        func beforeFeedForward(_ norm: Norm, _ x: Tensor) -> Tensor {
            norm(x, on: tape, isRounded: feedForward.roundsInput(rows: x.shape[0]))
        }
        // compute attention before gathering the residual rows: fewer copies exist at a time
        switch order {
        case .normsBefore(let first, let second):
            let mixed = attended(beforeAttention(first, states))
            let middle = context.selected(states) + mixed
            return middle + fed(beforeFeedForward(second, middle))
        case .normsBeforeAndInSum(let first, let second):
            let input = first(states, on: tape)
            let mixed = attended(input)
            let middle = second(context.selected(input) + mixed, on: tape)
            return middle + fed(middle)
        case .normsBehind(let first, let second):
            let mixed = first(attended(states), on: tape)
            let middle = context.selected(states) + mixed
            return middle + second(fed(middle), on: tape)
        case .normsOfSums(let first, let second):
            let mixed = attended(states)
            let middle = first(context.selected(states) + mixed, on: tape)
            return second(middle + fed(middle), on: tape)
        case .normsAround(let first, let second, let third, let fourth):
            let mixed = second(attended(beforeAttention(first, states)), on: tape)
            let middle = context.selected(states) + mixed
            return middle + fourth(fed(beforeFeedForward(third, middle)), on: tape)
        case .parallel(let first, let second):
            let rounds = attention.roundsInput(rows: states.shape[0])
            let input = first(
                states, on: tape, isRounded: rounds && (second != nil || feedForward.roundsInput(rows: states.shape[0])))
            let mixed = attended(input)
            let own = context.selected(states)
            return own + mixed + fed(second.map { beforeFeedForward($0, own) } ?? context.selected(input))
        }
    }
}
