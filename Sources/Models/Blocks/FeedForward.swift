public import Tensor

/// The feed-forward part (MLP) of a layer.
public enum FeedForward {
    /// A gated MLP, W₂ (f(W₁ x) · W₃ x), such as SwiGLU and GeGLU (Shazeer 2020).
    case gated(gate: Projection, up: Projection, down: Projection, Activation)
    /// A gated MLP whose gate and up matrices form one projection, the gate's rows first (Phi 3).
    case gatedFused(gateAndUp: Projection, down: Projection, Activation)
    /// An MLP with two matrices: W₂ f(W₁ x).
    case plain(up: Projection, down: Projection, Activation)

    /// All parameters, in the order of computation.
    public var parameters: [Parameter] {
        switch self {
        case .gated(let gate, let up, let down, _): gate.parameters + up.parameters + down.parameters
        case .gatedFused(let up, let down, _), .plain(let up, let down, _): up.parameters + down.parameters
        }
    }

    /// Whether the MLP reads its input of `rows` rows only in products that round it to bfloat16; see ``Projection/roundsInput(rows:)``.
    func roundsInput(rows: Int) -> Bool {
        switch self {
        case .gated(let gate, let up, _, _): gate.roundsInput(rows: rows) && up.roundsInput(rows: rows)
        case .gatedFused(let up, _, _), .plain(let up, _, _): up.roundsInput(rows: rows)
        }
    }

    /// Applies the MLP to rows [R, C]: [R, C].
    /// - Parameters:
    ///   - x: the input rows, [R, C].
    ///   - context: the context of the rows; needed for adapter dropout.
    ///   - tape: the tape that records the pass; nil for inference.
    public func callAsFunction(_ x: Tensor, in context: LayerContext? = nil, on tape: Tape?) -> Tensor {
        switch self {
        case .gated(let gate, let up, let down, let activation):
            let isRounded = down.roundsInput(rows: x.shape[0])
            return down(activation(gate, up, of: x, isRounded: isRounded, in: context, on: tape), in: context, on: tape)
        case .gatedFused(let gateAndUp, let down, let activation):
            let both = gateAndUp(x, in: context, on: tape)
            let width = both.shape[1] / 2
            let (gate, up) = (both.columns(0..<width), both.columns(width..<2 * width))
            return down(activation(gate: gate, up: up, isRounded: down.roundsInput(rows: x.shape[0])), in: context, on: tape)
        case .plain(let up, let down, let activation):
            let inner = up(x, in: context, on: tape)
            return down(activation(inner, isRounded: down.roundsInput(rows: x.shape[0])), in: context, on: tape)
        }
    }
}
