public import Data
public import Eval
public import Models
import Tensor

/// Training of a reward model on pairs of answers.
public final class RewardTrainer: SteppedTrainer {
    /// The model that is being trained.
    public let model: RewardModel
    /// The settings.
    public let config: RewardConfig
    let comparisons: [TokenisedComparison]
    let evaluations: [(name: String, comparisons: [TokenisedComparison])]
    let handler: TrainingEventHandler
    let optimizer: Adam
    private var order: BatchOrder
    private(set) var tokens = 0
    private var interval = (loss: 0.0, right: 0.0, pairs: 0)
    private var last = (norm: 0.0, rate: 0.0)
    private var badBatches: BadBatches

    /// Optimiser steps done.
    public private(set) var step = 0
    /// Optimiser steps of the whole run.
    public let totalSteps: Int

    /// A trainer; `evaluations` are named sets of held-out comparisons.
    /// - Throws: ``TrainingError`` for settings without meaning, no pairs, or a pair that the model has no room for.
    public init(
        _ model: RewardModel, config: RewardConfig, comparisons: [TokenisedComparison],
        evaluations: [(name: String, comparisons: [TokenisedComparison])] = [], handler: @escaping TrainingEventHandler
    ) throws {
        try config.validate()
        guard !comparisons.isEmpty else { throw TrainingError.noExamples("the set of comparisons") }
        for pair in comparisons + evaluations.flatMap(\.comparisons) {
            let longest = pair.prompt.count + (pair.summaries.map(\.count).max() ?? 0)
            guard longest <= model.decoder.shape.contextLength else {
                throw TrainingError.exampleTooLong(
                    id: pair.id, tokens: longest, limit: model.decoder.shape.contextLength)
            }
        }
        self.model = model
        self.config = config
        self.comparisons = comparisons
        self.evaluations = evaluations
        self.handler = handler
        config.freezing.apply(to: model.decoder, isRewardModel: true)
        optimizer = Adam(model.decoder.parameters + model.head.parameters, config: config.optimizer)
        order = try BatchOrder(seed: config.seed, count: comparisons.count, batchSize: config.batchSize)
        badBatches = BadBatches(limit: config.skippedBatches)
        let perEpoch = (comparisons.count + config.batchSize - 1) / config.batchSize
        totalSteps = config.maxSteps ?? max(1, Int((Double(perEpoch) * config.epochs).rounded()))
    }

    /// Everything that the next step depends on besides the weights.
    public var snapshot: TrainerSnapshot {
        TrainerSnapshot(
            step: step, optimizerSteps: optimizer.stepCount, tokens: tokens, order: order,
            numbers: [
                "loss": interval.loss, "right": interval.right, "pairs": Double(interval.pairs), "last_norm": last.norm,
                "last_rate": last.rate,
            ].merging(badBatches.numbers) { $1 },
            tensors: optimizer.state)
    }

    /// Continues from a snapshot; the model must hold the weights of the same moment.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other data or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimizer.restore(snapshot.tensors, stepCount: snapshot.optimizerSteps)
        (step, tokens, order) = (snapshot.step, snapshot.tokens, snapshot.order)
        let numbers = snapshot.numbers
        interval = (numbers["loss"] ?? 0, numbers["right"] ?? 0, snapshot.count("pairs"))
        last = (numbers["last_norm"] ?? 0, numbers["last_rate"] ?? 0)
        badBatches.restore(numbers)
    }

    /// Trains until the last step, or until `shouldStop` says so after a step. It leaves the head as it was trained: the caller may
    /// save that first and then call ``normalise()``.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``, with the weights as they were before that step; what the handler and
    ///   `checkpoint` throw.
    @discardableResult
    public func run(
        checkpoint: (RewardTrainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false },
        shouldStop: () -> Bool = { false }
    ) throws -> Bool {
        try handler(.began(stage: "reward model", totalSteps: totalSteps))
        if step == 0 { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop)
    }

    var intervals: StepIntervals {
        StepIntervals(
            log: config.logSteps, evaluation: config.evaluationSteps, checkpoint: config.checkpointSteps)
    }

    /// One optimiser step; returns its mean loss per pair, nil when the batch was passed over.
    func trainStep() throws -> Double? {
        let batch = order.next().map { comparisons[$0] }
        do {
            return try trainStep(on: batch)
        } catch let error as TrainingError where badBatches.passesOver(error) {
            step += 1
            try handler(.noted(badBatches.note(error)))
            return nil
        }
    }

    private func trainStep(on batch: [TokenisedComparison]) throws -> Double {
        defer { optimizer.clearGradients() }
        var loss = 0.0
        var right = 0.0
        var noise = DropoutNoise(
            seed: config.seed, step: step, isWanted: config.dropsOut && !model.decoder.dropout.isNone)
        for part in Packing.parts(batch, tokensPerPass: config.tokensPerPass, length: \.count) {
            let tape = Tape(recomputingLayers: config.recomputesLayers)
            let rows = part.reduce(0) { $0 + $1.count + (config.position == .lastToken ? 0 : $1.prompt.count) }
            let scores = RewardLoss.scores(
                model, part, position: config.position, on: tape, dropout: noise.next(rows: rows))
            let partLoss = RewardLoss.loss(
                scores: scores, choices: part.map(\.choice), weight: 1 / Float(batch.count),
                centering: Float(config.centering))
            guard partLoss.item.isFinite else {
                throw TrainingError.notFinite(
                    scores.nonFiniteCount > 0 ? "a score" : "the loss", step: step + 1, in: model.decoder, model.head,
                    ids: part.flatMap { pair in pair.summaries.map { _ in pair.id } },
                    sequences: part.flatMap { pair in pair.summaries.map { pair.prompt + $0 } })
            }
            loss += Double(partLoss.item)
            right += evaluation(of: scores.values, part).accuracy * Double(part.count)
            tape.backward(from: partLoss)
        }
        last.rate = config.optimizer.learningRate * config.schedule.factor(step: step, total: totalSteps)
        last.norm = try optimizer.step(learningRate: last.rate, examples: batch.map(\.id), of: step + 1)
        interval.loss += loss * Double(batch.count)
        interval.right += right
        interval.pairs += batch.count
        tokens += batch.reduce(0) { $0 + $1.count }
        step += 1
        return loss
    }

    func log() throws {
        var values = badBatches.numbers
        values["tokens"] = Double(tokens)
        values["total_samples_seen"] = Double(step * config.batchSize)
        values["percent_progress"] = 100 * Double(step) / Double(totalSteps)
        if interval.pairs > 0 {  // else every batch of the interval was passed over
            values["loss"] = interval.loss / Double(interval.pairs)
            values["accuracy"] = interval.right / Double(interval.pairs)
            values["learning_rate"] = last.rate
            values["gradient_norm"] = last.norm
        }
        try handler(.measured(step: step, values: values))
        interval = (0, 0, 0)
    }

    /// Measures every evaluation set: `<name>_accuracy` and the other numbers of ``RewardEvaluation``.
    /// - Throws: what the handler throws.
    public func evaluate() throws {
        var values: [String: Double] = [:]
        for (name, set) in evaluations where !set.isEmpty {
            let result = evaluation(of: set)
            lastEvaluation[name] = result
            values.merge(result.values(prefix: "\(name)_")) { $1 }
        }
        if !values.isEmpty { try handler(.measured(step: step, values: values)) }
    }

    /// Measures a set that is no part of the evaluations during training: `<name>_accuracy` and so on.
    /// - Returns: the scores of answer 0 and 1 of every pair, in turn.
    /// - Throws: what the handler throws.
    @discardableResult
    public func evaluate(_ set: [TokenisedComparison], name: String) throws -> [Float] {
        let scores = Self.scores(model, set, tokensPerPass: config.tokensPerPass * 2, position: config.position)
        let result = evaluation(of: scores, set)
        try handler(.measured(step: step, values: result.values(prefix: "\(name)_")))
        return scores
    }
    /// The results of the last evaluation by set.
    public private(set) var lastEvaluation: [String: RewardEvaluation] = [:]

    /// What a model does on a set of comparisons.
    public static func evaluate(
        _ model: RewardModel, _ comparisons: [TokenisedComparison], tokensPerPass: Int,
        position: ScorePosition = .lastToken
    ) -> RewardEvaluation {
        RewardEvaluation(
            scores: scores(model, comparisons, tokensPerPass: tokensPerPass, position: position),
            choices: comparisons.map(\.choice))
    }

    private static func scores(
        _ model: RewardModel, _ comparisons: [TokenisedComparison], tokensPerPass: Int, position: ScorePosition
    ) -> [Float] {
        Packing.parts(comparisons, tokensPerPass: tokensPerPass, length: \.count)
            .flatMap { RewardLoss.scores(model, $0, position: position).values }
    }

    private func evaluation(of scores: [Float], _ set: [TokenisedComparison]) -> RewardEvaluation {
        RewardEvaluation(scores: scores, choices: set.map(\.choice), tiesPredictZero: config.tiesPredictZero)
    }

    private func evaluation(of set: [TokenisedComparison]) -> RewardEvaluation {
        evaluation(
            of: Self.scores(model, set, tokensPerPass: config.tokensPerPass * 2, position: config.position), set)
    }

    /// Measures the scores of a number of random training pairs and composes their normalisation into the head, unless they are all
    /// equal up to rounding: then the head stays as it is.
    /// - Returns: the mean and deviation of the scores before, and whether the head has been normalised by them.
    /// - Throws: `DataError.invalidSetting` when no pair is asked for.
    public func normalise() throws -> RewardNormalisation {
        var draw = try BatchOrder(
            seed: config.seed &+ 1, count: comparisons.count,
            batchSize: min(comparisons.count, config.normalisationPairs))
        return model.head.normalise(by: evaluation(of: draw.next().map { comparisons[$0] }))
    }
}
