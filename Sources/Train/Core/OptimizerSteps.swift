import Models
import Tensor

/// Optimiser steps on the losses of an objective, whatever a trainer's batches are made of: each batch is cut into passes of at most
/// `tokensPerPass` tokens, the gradients of the passes add up, and the weights move once.
final class OptimizerSteps<Method: Objective> {
    let objective: Method
    let optimizer: Adam
    private let config: StepConfig
    private let dropsOut: Bool

    init(_ objective: Method, config: StepConfig, dropsOut: Bool = false) {
        self.objective = objective
        self.config = config
        self.dropsOut = dropsOut && objective.hasDropout
        optimizer = Adam(objective.parameters, config: config.optimizer)
    }

    /// Steps taken so far.
    var count: Int { optimizer.stepCount }

    /// Adds up the gradients of a batch's loss.
    /// - Parameters:
    ///   - step: the number of the trainer's step, from 1.
    ///   - scale: multiplies the loss.
    /// - Returns: the loss that people see, and the further sums of the passes.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``; what the objective throws. Gradients are to be cleared then.
    func add(_ batch: [Method.Example], of step: Int, scale: Float? = nil) throws -> (loss: Double, sums: [String: Double]) {
        var shown = 0.0
        var sums: [String: Double] = [:]
        var noise = DropoutNoise(seed: config.seed, step: step - 1, isWanted: dropsOut)
        let parts = Packing.parts(Array(batch.indices), tokensPerPass: config.tokensPerPass) { index, previous in
            previous.map { objective.tokens(of: batch[index], behind: batch[$0]) } ?? objective.tokens(of: batch[index])
        }
        for indices in parts {
            let rows = indices.reduce(0) { $0 + objective.rows(of: batch[$1]) }
            let pass = Pass(batch: batch, indices: indices, step: step, dropout: noise.next(rows: rows))
            let tape = Tape(recomputingLayers: config.recomputesLayers)
            let found = try objective.loss(of: pass, on: tape)
            guard found.loss.item.isFinite else {
                throw TrainingError.notFinite(what: "the loss", step: step, examples: pass.examples.map(objective.id))
            }
            shown += found.shown
            sums.merge(found.sums) { $0 + $1 }
            tape.backward(from: scale.map { found.loss.scaled(by: $0) } ?? found.loss)
        }
        return (shown, sums)
    }

    /// Moves the weights by the gradients that have been added up, and forgets these.
    /// - Returns: the global norm of the gradients before clipping.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)`` before any weight is touched.
    func take(learningRate: Double, batch: [Method.Example], of step: Int) throws -> Double {
        try optimizer.step(learningRate: learningRate, examples: batch.map(objective.id), of: step)
    }
}
