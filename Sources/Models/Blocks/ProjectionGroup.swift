import Tensor

// Projections that read the same rows, computed as one parallel region.

extension Projection {
    /// The projection as a linear layer; its adapter, if there is one, is left out.
    private func layer(on tape: Tape?) -> LinearLayer { LinearLayer(weight.on(tape), bias: bias?.on(tape)) }

    /// Applies several projections to the same rows [T, inputs]: [T, outputs] for each of them. The results and gradients have the bits
    /// of ``callAsFunction(_:in:on:)`` for each projection.
    /// - Parameters:
    ///   - projections: the projections. They are computed one by one if one of them has an adapter, and on a tape that reports
    ///     complete gradients: then each gradient can be used and freed before the next one exists.
    ///   - x: the input rows, [T, inputs].
    ///   - context: the context of the rows; needed for adapter dropout.
    ///   - tape: the tape that records the pass; nil for inference.
    static func applied(_ projections: [Projection], to x: Tensor, in context: LayerContext?, on tape: Tape?) -> [Tensor] {
        let isGroup = projections.allSatisfy { $0.adapter == nil } && tape?.isTellingFinished != true
        guard isGroup else { return projections.map { $0(x, in: context, on: tape) } }
        return x.linear(projections.map { $0.layer(on: tape) })
    }

    /// The gated activation of two projections without adapters, for inference: f(gate(x)) · up(x), [T, outputs].
    static func gated(_ activation: GatedActivation, _ gate: Projection, _ up: Projection, of x: Tensor) -> Tensor {
        x.gatedLinear(activation, gate: gate.layer(on: nil), up: up.layer(on: nil))
    }
}

extension Activation {
    /// The gated activation of two projections of the same rows [T, inputs]: f(gate(x)) · up(x), [T, outputs].
    /// - Parameter isRounded: whether all that reads the result rounds it to bfloat16. Then it is rounded where it is made, which needs
    ///   whole rows, so that it is not a part of the products.
    func callAsFunction(
        _ gate: Projection, _ up: Projection, of x: Tensor, isRounded: Bool, in context: LayerContext?, on tape: Tape?
    ) -> Tensor {
        if tape == nil, !isRounded, let gated, gate.adapter == nil, up.adapter == nil {
            return Projection.gated(gated, gate, up, of: x)
        }
        let both = Projection.applied([gate, up], to: x, in: context, on: tape)
        return self(gate: both[0], up: both[1], isRounded: isRounded)
    }
}
