package import Tensor

/// A step of an optimiser whose weights are updated one by one during a backward pass.
struct StepInBackward {
    /// The hyperparameters of the step.
    let step: AdamStep
    /// The first parameter whose gradient has NaN or Inf. None is updated after it.
    var failed: Parameter?
}

// Steps in the backward pass (Lv et al. 2023, "Full parameter fine-tuning for large language models with limited resources"): a
// gradient is used as soon as it is complete, and freed. The weights have the same bits as with `step`, which needs all gradients first.
extension Adam {
    /// Begins a step, before the last backward pass that adds to its gradients.
    package func begin(learningRate: Double) {
        stepCount += 1
        squares = parameters.map { _ in 0 }
        running = StepInBackward(step: nextStep(learningRate: learningRate, scale: 1))
    }

    /// Updates a parameter whose gradient is complete, and frees the gradient. Ignores parameters that the optimiser does not have.
    package func apply(to parameter: Parameter) {
        guard let running, running.failed == nil, let index = places[ObjectIdentifier(parameter)],
            let gradient = parameter.gradient
        else { return }
        squares[index] = gradient.sumOfSquares()
        if squares[index].isFinite { update(index, running.step) } else { self.running?.failed = parameter }
    }

    /// Updates the parameters that the backward pass has not finished, and ends the step.
    /// - Returns: the global norm of the gradients.
    /// - Throws: ``TrainingError/notFiniteInBackward(what:step:examples:)`` for a gradient with NaN or Inf. Some weights have been
    ///   changed then.
    package func finish(learningRate: Double, examples: [String], of trainerStep: Int) throws -> Double {
        if running == nil { begin(learningRate: learningRate) }
        defer {
            running = nil
            clearGradients()
        }
        parameters.forEach(apply)
        if let failed = running?.failed {
            throw TrainingError.notFiniteInBackward(what: "the gradient of \(failed.name)", step: trainerStep, examples: examples)
        }
        return norm
    }
}
