import Data
import Models
import Tensor

/// Training on examples: the one loop, whatever the method's objective is.
///
/// A step takes the next batch, cuts it into passes of at most `tokensPerPass` tokens, sums their gradients, clips them and updates the
/// weights. It depends on the seed, the examples and the weights alone: a run that is resumed from a ``snapshot`` ends with the same bits.
public final class Trainer<Method: Objective>: SteppedTrainer {
    /// What is minimised.
    public let objective: Method
    /// The settings of the loop.
    public let loop: LoopConfig
    /// What is trained on.
    let examples: [Method.Example]
    let handler: TrainingEventHandler
    let optimizer: Adam
    private var order: BatchOrder
    private(set) var tokens = 0
    private var interval = LossSums()
    private var last = (norm: 0.0, rate: 0.0)
    private var badBatches: BadBatches

    /// Optimiser steps done.
    public private(set) var step = 0
    /// Optimiser steps of the whole run.
    public let totalSteps: Int
    /// Called after the metrics of every evaluation, with the step: generates texts, where that is wanted.
    public var afterEvaluation: (Int) throws -> Void = { _ in }
    /// Gives the learning rate of a step (from 0) of so many, in place of the settings' peak and schedule.
    public var learningRate: ((_ step: Int, _ total: Int) -> Double)?

    /// A trainer.
    /// - Parameters:
    ///   - examples: what is trained on.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for settings without meaning, or no examples.
    public init(
        _ objective: Method, config: LoopConfig, examples: [Method.Example], handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        try config.validate()
        guard !examples.isEmpty else { throw TrainingError.noExamples("the training set") }
        self.objective = objective
        self.loop = config
        self.examples = examples
        self.handler = handler
        optimizer = Adam(objective.parameters, config: config.optimizer)
        order = try BatchOrder(seed: config.seed, count: examples.count, batchSize: config.batchSize)
        totalSteps = config.totalSteps(examples: examples.count)
        badBatches = BadBatches(limit: config.skippedBatches)
    }

    // MARK: Snapshots

    /// Everything that the next step depends on besides the model's weights.
    public var snapshot: TrainerSnapshot {
        let names = objective.sumNames
        return TrainerSnapshot(
            step: step, optimizerSteps: optimizer.stepCount, tokens: tokens, order: order,
            numbers: interval.extra.merging([
                names.loss: interval.loss, names.weight: interval.weight, "last_norm": last.norm, "last_rate": last.rate,
            ]) { $1 }.merging(badBatches.numbers) { $1 },
            tensors: optimizer.state)
    }

    /// Continues from a snapshot; the model must hold the weights of the same moment.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other data or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimizer.restore(snapshot.tensors, stepCount: snapshot.optimizerSteps)
        (step, tokens, order) = (snapshot.step, snapshot.tokens, snapshot.order)
        let names = objective.sumNames
        var numbers = snapshot.numbers
        func take(_ name: String) -> Double { numbers.removeValue(forKey: name) ?? 0 }
        last = (take("last_norm"), take("last_rate"))
        badBatches.restore(numbers)
        badBatches.numbers.keys.forEach { numbers[$0] = nil }
        interval.loss = take(names.loss)
        interval.weight = Double(TrainerSnapshot.count(take(names.weight)))
        interval.extra = numbers
    }

    // MARK: The loop

    /// Trains until the last step, or until `shouldStop` says so after a step.
    /// - Parameters:
    ///   - checkpoint: called after every `checkpointSteps` steps, when `shouldSave` says so, and before stopping early.
    ///   - shouldSave: asked after every step.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``, with the weights as they were before that step; what the objective, the
    ///   handler and `checkpoint` throw.
    @discardableResult
    public func run(
        checkpoint: (Trainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false }, shouldStop: () -> Bool = { false }
    ) throws -> Bool {
        try handler(.began(stage: objective.stage, totalSteps: totalSteps))
        if step == 0 { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop)
    }

    var intervals: StepIntervals {
        StepIntervals(log: loop.logSteps, evaluation: loop.evaluationSteps, checkpoint: loop.checkpointSteps)
    }

    /// One optimiser step; returns its loss, nil when the batch was passed over.
    func trainStep() throws -> Double? {
        let batch = order.next().map { examples[$0] }
        do {
            return try trainStep(on: batch)
        } catch let error as TrainingError where badBatches.passesOver(error) {
            step += 1
            try handler(.noted(badBatches.note(error)))
            return nil
        }
    }

    private func trainStep(on batch: [Method.Example]) throws -> Double {
        defer { optimizer.clearGradients() }
        var loss = 0.0
        var sums: [String: Double] = [:]
        var noise = DropoutNoise(seed: loop.seed, step: step, isWanted: loop.dropsOut && objective.hasDropout)
        for indices in Packing.parts(
            Array(batch.indices), tokensPerPass: loop.tokensPerPass, length: { objective.tokens(of: batch[$0]) })
        {
            let rows = indices.reduce(0) { $0 + objective.rows(of: batch[$1]) }
            let pass = Pass(batch: batch, indices: indices, step: step + 1, dropout: noise.next(rows: rows))
            let tape = Tape(recomputingLayers: loop.recomputesLayers)
            let found = try objective.loss(of: pass, on: tape)
            guard found.loss.item.isFinite else {
                throw TrainingError.notFinite(what: "the loss", step: step + 1, examples: pass.examples.map(objective.id))
            }
            loss += found.shown
            sums.merge(found.sums) { $0 + $1 }
            tape.backward(from: found.loss)
        }
        last.rate =
            learningRate?(step, totalSteps) ?? loop.optimizer.learningRate * loop.schedule.factor(step: step, total: totalSteps)
        last.norm = try optimizer.step(learningRate: last.rate, examples: batch.map(objective.id), of: step + 1)
        interval.add(loss: loss, weight: objective.weight(of: batch), sums: sums)
        tokens += batch.reduce(0) { $0 + objective.tokens(of: $1) }
        step += 1
        return loss
    }

    func log() throws {
        var values = badBatches.numbers
        values["tokens"] = Double(tokens)
        values.merge(objective.progress(step: step, of: totalSteps)) { $1 }
        if interval.weight > 0 {  // else every batch of the interval was passed over
            values.merge(objective.metrics(of: interval)) { $1 }
            values["learning_rate"] = last.rate
            values["gradient_norm"] = last.norm
        }
        try handler(.measured(step: step, values: values))
        interval = LossSums()
    }

    /// Measures what the objective evaluates.
    /// - Throws: what the objective and the handler throw.
    public func evaluate() throws {
        let values = try objective.evaluate()
        if !values.isEmpty { try handler(.measured(step: step, values: values)) }
        try afterEvaluation(step)
    }
}
