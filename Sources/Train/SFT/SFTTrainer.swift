public import Data
public import Models
import Tensor

/// Supervised fine-tuning of a decoder on prompts with reference answers.
///
/// Each optimiser step minimises the mean −log p over all target tokens of its batch, however the batch is cut into passes: short
/// answers do not weigh more than long ones.
public final class SFTTrainer: SteppedTrainer {
    /// The model that is being trained.
    public let decoder: any Decoder
    /// The settings.
    public let config: SFTConfig
    let examples: [TokenisedExample]
    let evaluations: [(name: String, examples: [TokenisedExample])]
    let validTokens: Int?
    let handler: TrainingEventHandler
    /// Called after the losses of every evaluation, with the step: generates texts, where that is wanted.
    public var afterEvaluation: (Int) throws -> Void = { _ in }
    let optimizer: Adam
    private var order: BatchOrder
    private(set) var tokens = 0
    private var interval = (loss: 0.0, targets: 0)
    private var badBatches: BadBatches

    /// Optimiser steps done.
    public private(set) var step = 0
    /// Optimiser steps of the whole run.
    public let totalSteps: Int

    /// A trainer.
    /// - Parameters:
    ///   - examples: what is trained on; every target has at least one token.
    ///   - evaluations: named sets whose mean loss is measured.
    ///   - validTokens: ids at and above it have no token.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for settings without meaning, no examples, or an example that the model has no room for.
    public init(
        _ decoder: any Decoder, config: SFTConfig, examples: [TokenisedExample],
        evaluations: [(name: String, examples: [TokenisedExample])] = [], validTokens: Int? = nil,
        handler: @escaping TrainingEventHandler
    ) throws {
        try config.validate()
        guard !examples.isEmpty else { throw TrainingError.noExamples("the training split") }
        for example in examples + evaluations.flatMap(\.examples) {
            guard example.count <= decoder.shape.contextLength else {
                throw TrainingError.exampleTooLong(
                    id: example.id, tokens: example.count, limit: decoder.shape.contextLength)
            }
            guard !example.target.isEmpty, !example.prompt.isEmpty else {
                throw TrainingError.noExamples("the prompt or the target of example \(example.id)")
            }
        }
        self.decoder = decoder
        self.config = config
        self.examples = examples
        self.evaluations = evaluations
        self.validTokens = validTokens
        self.handler = handler
        config.freezing.apply(to: decoder)
        optimizer = Adam(decoder.parameters, config: config.optimizer)
        order = try BatchOrder(seed: config.seed, count: examples.count, batchSize: config.batchSize)
        totalSteps = config.totalSteps(examples: examples.count)
        badBatches = BadBatches(limit: config.skippedBatches)
    }

    /// Everything that the next step depends on besides the model's weights.
    public var snapshot: TrainerSnapshot {
        TrainerSnapshot(
            step: step, optimizerSteps: optimizer.stepCount, tokens: tokens, order: order,
            numbers: [
                "interval_loss": interval.loss, "interval_targets": Double(interval.targets), "last_norm": lastNorm,
                "last_rate": lastRate,
            ].merging(badBatches.numbers) { $1 },
            tensors: optimizer.state)
    }

    /// Continues from a snapshot; the model must hold the weights of the same moment.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other data or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimizer.restore(snapshot.tensors, stepCount: snapshot.optimizerSteps)
        step = snapshot.step
        tokens = snapshot.tokens
        order = snapshot.order
        interval = (snapshot.numbers["interval_loss"] ?? 0, snapshot.count("interval_targets"))
        (lastNorm, lastRate) = (snapshot.numbers["last_norm"] ?? 0, snapshot.numbers["last_rate"] ?? 0)
        badBatches.restore(snapshot.numbers)
    }

    /// Trains until the last step, or until `shouldStop` says so after a step.
    /// - Parameters:
    ///   - checkpoint: called after every `checkpointSteps` steps, when `shouldSave` says so, and before stopping early.
    ///   - shouldSave: asked after every step.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``, with the weights as they were before that step; what the handler and
    ///   `checkpoint` throw.
    @discardableResult
    public func run(
        checkpoint: (SFTTrainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false },
        shouldStop: () -> Bool = { false }
    ) throws -> Bool {
        try handler(.began(stage: "sft", totalSteps: totalSteps))
        if step == 0 { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop)
    }

    var intervals: StepIntervals {
        StepIntervals(
            log: config.logSteps, evaluation: config.evaluationSteps, checkpoint: config.checkpointSteps)
    }

    /// One optimiser step; returns its mean loss per target token, nil when the batch was passed over.
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

    private func trainStep(on batch: [TokenisedExample]) throws -> Double {
        defer { optimizer.clearGradients() }
        let targets = batch.reduce(0) { $0 + $1.target.count }
        var loss = 0.0
        let weights = SFTLoss.weights(batch.map(\.target.count), microBatch: config.microBatchSize)
        var noise = DropoutNoise(seed: config.seed, step: step, isWanted: config.dropsOut && !decoder.dropout.isNone)
        for indices in Packing.parts(
            Array(batch.indices), tokensPerPass: config.tokensPerPass, length: { batch[$0].count })
        {
            let part = indices.map { batch[$0] }
            let tape = Tape(recomputingLayers: config.recomputesLayers)
            let dropout = noise.next(rows: part.reduce(0) { $0 + $1.count - 1 })
            var partLoss = Tensor(0)
            if config.promptLossWeight > 0 {
                let prompts = batch.reduce(0) { $0 + $1.prompt.count - 1 }
                let sums = SFTLoss.losses(decoder, part, on: tape, validTokens: validTokens, dropout: dropout)
                loss += Double(sums.target.item) / Double(targets)
                partLoss = (sums.target + sums.prompt.scaled(by: Float(config.promptLossWeight)))
                    .scaled(by: 1 / Float(Double(targets) + config.promptLossWeight * Double(prompts)))
            } else {
                partLoss = SFTLoss.loss(
                    decoder, part, weights: indices.map { weights[$0] }, on: tape, validTokens: validTokens,
                    dropout: dropout)
                loss += Double(partLoss.item)
            }
            guard partLoss.item.isFinite else {
                throw TrainingError.notFinite(
                    "the loss", step: step + 1, in: decoder, ids: part.map(\.id), sequences: part.map { $0.prompt + $0.target })
            }
            tape.backward(from: partLoss)
        }
        let rate = config.optimizer.learningRate * config.schedule.factor(step: step, total: totalSteps)
        lastNorm = try optimizer.step(learningRate: rate, examples: batch.map(\.id), of: step + 1)
        lastRate = rate
        interval.loss += loss * Double(targets)
        interval.targets += targets
        tokens += batch.reduce(0) { $0 + $1.count }
        step += 1
        return loss
    }
    private var lastNorm = 0.0
    private var lastRate = 0.0

    func log() throws {
        var values = badBatches.numbers
        values["tokens"] = Double(tokens)
        if interval.targets > 0 {  // else every batch of the interval was passed over
            values["loss"] = interval.loss / Double(interval.targets)
            values["learning_rate"] = lastRate
            values["gradient_norm"] = lastNorm
        }
        try handler(.measured(step: step, values: values))
        interval = (0, 0)
    }

    /// Measures the mean loss of every evaluation set: `<name>_loss`.
    /// - Throws: what the handler throws.
    public func evaluate() throws {
        if evaluations.isEmpty { return try afterEvaluation(step) }
        var values: [String: Double] = [:]
        for (name, set) in evaluations where !set.isEmpty {
            values["\(name)_loss"] = SFTLoss.mean(
                decoder, set, batchSize: config.evaluationBatchSize, tokensPerPass: config.tokensPerPass * 2,
                validTokens: validTokens)
        }
        lastEvaluation = values
        try handler(.measured(step: step, values: values))
        try afterEvaluation(step)
    }

    /// Measures a set that is no part of the evaluations during training: `<name>_loss`.
    /// - Throws: what the handler throws.
    public func evaluate(_ set: [TokenisedExample], name: String) throws {
        guard !set.isEmpty else { return }
        let loss = SFTLoss.mean(
            decoder, set, batchSize: config.evaluationBatchSize, tokensPerPass: config.tokensPerPass * 2,
            validTokens: validTokens)
        try handler(.measured(step: step, values: ["\(name)_loss": loss]))
    }
    /// The losses of the last evaluation.
    public private(set) var lastEvaluation: [String: Double] = [:]
}
