import Tensor

/// What an optimiser keeps of one parameter between steps. It is a class, so that a step changes its tensors in place.
protocol Moments: AnyObject {
    /// Updates a parameter's value and what is kept of it.
    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor)

    /// Adds what is kept to a state, under the parameter's name.
    func add(to state: inout OptimizerState, name: String)

    /// Takes over what a state keeps of the parameter.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` when it is missing or has another shape.
    func restore(_ state: OptimizerState, name: String) throws
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
        else { throw state.mismatch(name, shape: first.shape) }
        (first, second) = (m, s)
    }
}

/// The two moments of AdamW in 8 bits.
final class CodedAdamMoments: Moments {
    private var first: MomentCodes
    private var second: MomentCodes

    init(_ shape: Shape) {
        first = MomentCodes(zeros: shape, in: .signed)
        second = MomentCodes(zeros: shape, in: .unsigned)
    }

    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor) {
        step.apply(gradient: gradient, to: &value, first: &first, second: &second)
    }

    func add(to state: inout OptimizerState, name: String) {
        state.codes[OptimizerState.first(name)] = first
        state.codes[OptimizerState.second(name)] = second
    }

    func restore(_ state: OptimizerState, name: String) throws {
        guard let m = state.codes[OptimizerState.first(name)], let s = state.codes[OptimizerState.second(name)],
            m.shape == first.shape, s.shape == first.shape
        else { throw state.mismatch(name, shape: first.shape) }
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
        guard let m = state.tensors[OptimizerState.first(name)], m.shape == momentum.shape else {
            throw state.mismatch(name, shape: momentum.shape)
        }
        momentum = m
    }
}

/// What Adafactor keeps of a matrix: the second moments of its rows and columns.
final class FactoredMoments: Moments {
    private let shape: Shape
    private var rows: Tensor
    private var columns: Tensor

    init(_ shape: Shape) {
        (self.shape, rows, columns) = (shape, .zeros([shape.rows]), .zeros([shape.width]))
    }

    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor) {
        AdafactorStep(step).apply(gradient: gradient, to: &value, rows: &rows, columns: &columns)
    }

    func add(to state: inout OptimizerState, name: String) {
        state.tensors[OptimizerState.row(name)] = rows
        state.tensors[OptimizerState.column(name)] = columns
    }

    func restore(_ state: OptimizerState, name: String) throws {
        guard let r = state.tensors[OptimizerState.row(name)], let c = state.tensors[OptimizerState.column(name)],
            r.shape == rows.shape, c.shape == columns.shape
        else { throw state.mismatch(name, shape: shape) }
        (rows, columns) = (r, c)
    }
}

/// What Adafactor keeps of other parameters than matrices: the second moments of all weights.
final class SecondMoments: Moments {
    private var second: Tensor

    init(_ shape: Shape) { second = .zeros(shape) }

    func step(_ step: AdamStep, gradient: Tensor, value: inout Tensor) {
        AdafactorStep(step).apply(gradient: gradient, to: &value, second: &second)
    }

    func add(to state: inout OptimizerState, name: String) { state.tensors[OptimizerState.second(name)] = second }

    func restore(_ state: OptimizerState, name: String) throws {
        guard let s = state.tensors[OptimizerState.second(name)], s.shape == second.shape else {
            throw state.mismatch(name, shape: second.shape)
        }
        second = s
    }
}

extension AdafactorStep {
    /// The settings that an AdamW step has in common with this one.
    fileprivate init(_ step: AdamStep) {
        self.init(
            learningRate: step.learningRate, weightDecay: step.weightDecay, number: step.number, gradientScale: step.gradientScale)
    }
}
