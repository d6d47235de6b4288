import Tensor

/// What an optimiser keeps of one parameter between steps. It is a class, so that a step changes its tensors in place.
protocol Moments: AnyObject {
    /// Updates a parameter's value and what is kept of it.
    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor)

    /// Adds what is kept to a state, under the parameter's name.
    func add(to state: inout OptimizerState, name: String)

    /// Takes over what a state keeps of the parameter.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` when it is missing, has another shape or is that of another kind of optimiser.
    func restore(_ state: OptimizerState, name: String) throws
}

/// The state of an optimiser by name: `first.<parameter>`, and `second.<parameter>` where there is a second moment.
struct OptimizerState {
    var tensors: [String: Tensor] = [:]

    /// The name of a parameter's first moment, or of its momentum.
    static func first(_ name: String) -> String { "first.\(name)" }
    /// The name of a parameter's second moment.
    static func second(_ name: String) -> String { "second.\(name)" }

    /// The error for a parameter whose state is missing, has another shape or has another form than it should.
    func mismatch(_ name: String) -> TrainingError {
        let found = [Self.first(name), Self.second(name)].filter { tensors[$0] != nil }
        return .stateMismatch(
            found.isEmpty
                ? "it has no optimiser moments for \(name)"
                : "its optimiser moments for \(name) have another shape, or are those of another --optimizer")
    }
}

/// The two moments of AdamW, as floats.
final class AdamMoments: Moments {
    private var first: Tensor
    private var second: Tensor

    init(_ shape: Shape) {
        first = .zeros(shape)
        second = .zeros(shape)
    }

    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor) {
        step.apply(gradient: gradient, to: &value, first: &first, second: &second)
    }

    func add(to state: inout OptimizerState, name: String) {
        state.tensors[OptimizerState.first(name)] = first
        state.tensors[OptimizerState.second(name)] = second
    }

    func restore(_ state: OptimizerState, name: String) throws {
        guard let m = state.tensors[OptimizerState.first(name)], let s = state.tensors[OptimizerState.second(name)],
            m.shape == first.shape, s.shape == first.shape
        else { throw state.mismatch(name) }
        (first, second) = (m, s)
    }
}

/// The momentum of Lion.
final class LionMoments: Moments {
    private var momentum: Tensor

    init(_ shape: Shape) { momentum = .zeros(shape) }

    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor) {
        LionStep(
            learningRate: step.learningRate, beta1: step.beta1, beta2: step.beta2, weightDecay: step.weightDecay,
            gradientScale: step.gradientScale
        ).apply(gradient: gradient, to: &value, momentum: &momentum)
    }

    func add(to state: inout OptimizerState, name: String) { state.tensors[OptimizerState.first(name)] = momentum }

    func restore(_ state: OptimizerState, name: String) throws {
        guard let m = state.tensors[OptimizerState.first(name)], m.shape == momentum.shape,
            state.tensors[OptimizerState.second(name)] == nil
        else { throw state.mismatch(name) }
        momentum = m
    }
}
