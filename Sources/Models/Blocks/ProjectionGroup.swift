import Tensor

// Projections that read the same rows, computed as one parallel region.

extension Projection {
    /// The projection as a linear layer; its adapter, if there is one, is left out.
    private func layer(on tape: Tape?) -> LinearLayer { LinearLayer(weight.on(tape), bias: bias?.on(tape)) }

    /// Applies several projections to the same rows [T, inputs]: [T, outputs] for each of them. The results and gradients have the bits
    /// of ``callAsFunction(_:in:on:)`` for each projection.
    /// - Parameters:
    ///   - projections: the projections. If one of them has an adapter, they are computed one by one.
    ///   - x: the input rows, [T, inputs].
    ///   - context: the context of the rows; needed for adapter dropout.
    ///   - tape: the tape that records the pass; nil for inference.
    static func applied(_ projections: [Projection], to x: Tensor, in context: LayerContext?, on tape: Tape?) -> [Tensor] {
        guard projections.allSatisfy({ $0.adapter == nil }) else { return projections.map { $0(x, in: context, on: tape) } }
        return x.linear(projections.map { $0.layer(on: tape) })
    }

    /// The gated activation of two projections of the same rows [T, inputs]: f(gate(x)) · up(x), [T, outputs].
    static func gated(
        _ activation: GatedActivation, _ gate: Projection, _ up: Projection, of x: Tensor, on tape: Tape?
    ) -> Tensor { x.gatedLinear(activation, gate: gate.layer(on: tape), up: up.layer(on: tape)) }
}

extension Activation {
    /// The gated activation of two projections of the same rows [T, inputs]: f(gate(x)) · up(x), [T, outputs].
    func callAsFunction(_ gate: Projection, _ up: Projection, of x: Tensor, in context: LayerContext?, on tape: Tape?) -> Tensor {
        if let gated, gate.adapter == nil, up.adapter == nil { return Projection.gated(gated, gate, up, of: x, on: tape) }
        let both = Projection.applied([gate, up], to: x, in: context, on: tape)
        return self(gate: both[0], up: both[1])
    }
}
