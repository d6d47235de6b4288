import Data
import Models
import Tensor

/// Trains a model on examples: one training loop for all objectives.
///
/// A step takes the next batch, divides it into passes of at most `tokensPerPass` tokens, sums their gradients, clips them and
/// updates the weights. It depends only on the seed, the examples and the weights, so a run that is resumed from a ``snapshot``
/// ends with bit-identical weights.
///
/// Several processes can train one model: each rank of a ``Collective`` creates the same trainer and calls the same functions. Each
/// runs a share of every batch. All ranks report the same events; only rank 0 should write them. Losses and weights are those of one
/// process up to rounding, and a snapshot does not depend on the number of ranks.
public final class Trainer<Method: Objective>: SteppedTrainer {
    /// The objective that is minimised.
    public let objective: Method
    /// The settings of the training loop.
    public let loop: LoopConfig
    /// The training examples.
    let examples: [Method.Example]
    let handler: TrainingEventHandler
    let collective: CountingCollective
    private let optimization: OptimizerSteps<Method>
    private var order: BatchOrder
    private(set) var tokens = 0
    private var interval = LossSums()
    private var last = (norm: 0.0, rate: 0.0)
    var badBatches: BadBatches

    /// The number of optimiser steps done.
    public private(set) var step = 0
    /// The number of optimiser steps of the whole run.
    public let totalSteps: Int
    /// What the steps since this trainer was created have sent to other ranks.
    public internal(set) var traffic = StepTraffic()
    /// Called with the step after the metrics of every evaluation, for example to generate texts.
    public var afterEvaluation: (Int) throws -> Void = { _ in }
    /// Overrides the learning rate: a function of the step (from 0) and the number of steps. Default: nil, the peak and the
    /// schedule of the settings.
    public var learningRate: ((_ step: Int, _ total: Int) -> Double)?

    /// Creates a trainer.
    /// - Parameters:
    ///   - objective: the objective to minimise.
    ///   - config: the settings of the training loop.
    ///   - examples: the training examples.
    ///   - collective: the ranks that train together. Default: this process alone.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for invalid settings, or without examples.
    public init(
        _ objective: Method, config: LoopConfig, examples: [Method.Example], collective: any Collective = LocalCollective(),
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        try config.validate()
        guard !examples.isEmpty else { throw TrainingError.noExamples("the training set") }
        try config.steps.check(ranks: collective.size)
        self.objective = objective
        self.loop = config
        self.examples = examples
        self.handler = handler
        let collective = CountingCollective(collective)
        self.collective = collective
        optimization = OptimizerSteps(objective, config: config.steps, dropsOut: config.dropsOut, collective: collective)
        order = try BatchOrder(seed: config.seed, count: examples.count, batchSize: config.batchSize)
        totalSteps = config.totalSteps(examples: examples.count)
        badBatches = BadBatches(limit: config.skippedBatches)
    }

    var steps: StepConfig { loop.steps }
    var optimizer: Adam { optimization.optimizer }

    // MARK: Snapshots

    /// The state of the trainer: everything that the next step depends on besides the model's weights. In a group of several ranks
    /// every rank asks for it at the same point, and only that of rank 0 is complete: the other ranks lack the moments of parameters
    /// that they do not own.
    /// - Throws: ``CollectiveError`` when the group of ranks is broken; never in one process.
    public var snapshot: TrainerSnapshot {
        get throws {
            let names = objective.sumNames
            return TrainerSnapshot(
                step: step, optimizerSteps: optimizer.stepCount, tokens: tokens, order: order,
                numbers: interval.extra.merging([
                    names.loss: interval.loss, names.weight: interval.weight, "last_norm": last.norm, "last_rate": last.rate,
                ]) { $1 }.merging(badBatches.numbers) { $1 },
                optimizer: try optimizer.gatheredState())
        }
    }

    /// Continues from a snapshot, which may be of another number of ranks. The model must hold the weights of the same step. Every
    /// rank needs the complete snapshot.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other data or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws { try collective.together { try take(snapshot) } }

    private func take(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimizer.restore(snapshot.optimizer, stepCount: snapshot.optimizerSteps)
        (step, tokens, order) = (snapshot.step, snapshot.tokens, snapshot.order)
        let names = objective.sumNames
        var numbers = snapshot.numbers
        func take(_ name: String) -> Double { numbers.removeValue(forKey: name) ?? 0 }
        last = (take("last_norm"), take("last_rate"))
        badBatches.restore(numbers)
        badBatches.numbers.keys.forEach { numbers[$0] = nil }
        interval.loss = take(names.loss)
        // a weight may be fractional, but a damaged one counts as none
        let weight = take(names.weight)
        interval.weight = (0...0x1p53).contains(weight) ? weight : 0
        interval.extra = numbers
    }

    // MARK: Training loop

    /// Trains until the last step, or until `shouldStop` returns true after a step.
    /// - Parameters:
    ///   - checkpoint: called after every `checkpointSteps` steps, when `shouldSave` returns true, and before stopping early.
    ///   - shouldSave: called after every step.
    ///   - shouldStop: called after every step.
    ///   - stepsBegin: called before the first step, after the evaluation that may precede it; not if no steps remain.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``, with the weights as they were before that step;
    ///   ``TrainingError/weightNotFinite(name:step:)`` before such a weight is evaluated or saved; errors of the objective, the handler
    ///   and `checkpoint`; ``CollectiveError`` when another rank fails.
    @discardableResult
    public func run(
        checkpoint: (Trainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false }, shouldStop: () -> Bool = { false },
        stepsBegin: () -> Void = {}
    ) throws -> Bool {
        try checkRanks()
        try collective.together { try handler(.began(stage: objective.stage, totalSteps: totalSteps, step: step, tokens: tokens)) }
        if step == 0 { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop, stepsBegin: stepsBegin)
    }

    /// Checks that all ranks have the same settings, examples and weights.
    private func checkRanks() throws {
        guard collective.size > 1 else { return }
        try collective.requireSame("\(loop) \(step)/\(totalSteps)", what: "the setting of the training loop, or the checkpoint,")
        try collective.requireSame("\(order.epoch) \(order.batch) \(examples.map { objective.tokens(of: $0) })", what: "the training set")
        try collective.requireSameWeights(optimizer.parameters)
    }

    /// Takes one optimiser step. Returns its loss; nil when the batch was skipped.
    func trainStep() throws -> ProgressFigure? {
        let batch = order.next().map { examples[$0] }
        let loss = try passingOverBadBatches { try learn(from: batch) }
        step += 1
        return loss.map { ProgressFigure("loss", $0) }
    }

    private func learn(from batch: [Method.Example]) throws -> Double {
        defer { optimizer.clearGradients() }
        let rate = learningRate?(step, totalSteps) ?? steps.learningRate(step: step, total: totalSteps)
        let (loss, sums) = try optimization.add(batch, of: step + 1, learningRate: rate)
        last = (try optimization.take(learningRate: rate, batch: batch, of: step + 1), rate)
        interval.add(loss: loss, weight: objective.weight(of: batch), sums: sums)
        tokens += batch.reduce(0) { $0 + objective.tokens(of: $1) }
        return loss
    }

    func log() throws {
        var values = badBatches.numbers
        values["tokens"] = Double(tokens)
        values.merge(objective.progress(step: step, of: totalSteps)) { $1 }
        if interval.weight > 0 {  // otherwise every batch of the interval was skipped
            values.merge(objective.metrics(of: interval)) { $1 }
            values["learning_rate"] = last.rate
            values["gradient_norm"] = last.norm
        }
        try handler(.measured(step: step, values: values))
        interval = LossSums()
    }

    /// Evaluates the objective and reports the metrics.
    /// - Throws: errors of the objective and the handler.
    public func evaluate() throws {
        let values = try objective.evaluate(among: collective, reporting: handler)
        // separately, because work after an evaluation may exchange
        try collective.together { if !values.isEmpty { try handler(.measured(step: step, values: values)) } }
        try collective.together { try afterEvaluation(step) }
    }
}
