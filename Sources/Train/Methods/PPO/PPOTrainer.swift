public import Data
public import Eval
public import Models
import Tensor

/// PPO on a language model: sample responses, score them, and move the policy towards those that did better than expected.
///
/// The policy's frozen layers are run once for every token, while it is sampled; the reference, the values and all epochs of learning
/// start from their output. Sampling has already given every token's log-probability, so the policy is not run again before it learns.
public final class PPOTrainer: SteppedTrainer {
    /// The model that learns.
    public let policy: any TransformerDecoder
    /// Its value function.
    public let valueHead: ValueHead
    /// The model that the KL is measured against.
    public let reference: any TransformerDecoder
    /// The settings.
    public let config: PPOConfig
    let prompts: [TokenisedPrompt]
    let evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])]
    let rewardFunction: any RewardFunction
    let tokenizer: any Tokenizer
    let ends: EndTokens
    let handler: TrainingEventHandler
    let optimizer: Adam
    let random: Philox
    let trunkLayers: Int
    private var order: BatchOrder
    var controller: KLController
    var statistics = PPOStatistics()
    var tokens = 0
    /// The KL since the last log line, for runs whose KL weight follows that.
    private var laggingKL = OriginalPPO.LaggingKL()
    /// Columns of the learn batches so far, one for all rows of a batch: what the original calls `env_train_steps`.
    var learnedColumns = 0
    /// The moments of all advantages so far, for runs that normalise by them.
    var moments = RunningMoments()
    private var logs = 0
    private var badBatches: BadBatches
    private var lastRollouts: [SampleRow] = []

    /// Steps (rollout and learning) done.
    public private(set) var step = 0
    /// The wall-clock time of the last step's phases.
    public private(set) var lastPhases = PhaseTimes()
    /// The scores of the last evaluation by set.
    public internal(set) var lastEvaluation: [String: Double] = [:]

    /// How long the phases of a step took, in seconds.
    public struct PhaseTimes: Sendable, Equatable {
        /// Sampling, with log-probabilities and values.
        public var generate = 0.0
        /// The reference's log-probabilities and the reward function.
        public var score = 0.0
        /// Rewards, advantages and the optimiser steps of all epochs.
        public var learn = 0.0
    }

    /// A trainer.
    /// - Parameters:
    ///   - policy: the model to train; it is frozen as the settings say.
    ///   - reference: the model that the KL is measured against. A copy of the policy shares its memory and its frozen layers.
    ///   - evaluationPrompts: named sets that are answered greedily at step 0, at intervals and at the end.
    /// - Throws: ``TrainingError`` for settings without meaning, fewer prompts than a rollout batch, or a prompt that the context has no
    ///   room for.
    public init(
        policy: any TransformerDecoder, valueHead: ValueHead, reference: any TransformerDecoder, config: PPOConfig,
        prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, ends: EndTokens, handler: @escaping TrainingEventHandler
    ) throws {
        try config.validate()
        let rolloutBatch = config.rolloutBatchSize / config.rolloutBatches
        guard prompts.count >= rolloutBatch else {
            throw TrainingError.invalidSetting(
                name: "the rollout batch size", value: "\(rolloutBatch)",
                rule: "there are only \(prompts.count) prompts")
        }
        let context = min(policy.shape.contextLength, reference.shape.contextLength)
        let room = context - config.sampling.maxNewTokens - 1
        for prompt in prompts + evaluationPrompts.flatMap(\.prompts) {
            try policy.check(prompt.tokens, id: prompt.id, room: room)
            try reference.check(prompt.tokens, id: prompt.id, room: room)
        }
        self.policy = policy
        self.valueHead = valueHead
        self.reference = reference
        self.config = config
        self.prompts = prompts
        self.evaluationPrompts = evaluationPrompts
        self.rewardFunction = rewardFunction
        self.tokenizer = tokenizer
        self.ends = ends
        self.handler = handler
        config.freezing.apply(to: policy)
        reference.parameters.forEach { $0.isTrainable = false }
        trunkLayers = Trunk.share(policy, with: reference, atMost: policy.frozenTrunk).layers
        optimizer = Adam(policy.parameters + valueHead.parameters, config: config.optimizer)
        order = try BatchOrder(
            seed: config.seed, count: prompts.count, batchSize: rolloutBatch, dropLast: true)
        controller = KLController(coefficient: config.klCoefficient, target: config.klTarget, horizon: config.klHorizon)
        random = Philox(seed: config.seed).split("ppo")
        badBatches = BadBatches(limit: config.skippedBatches)
    }

    /// A trainer whose responses one token ends; see the other initialiser.
    /// - Throws: as there.
    public convenience init(
        policy: any TransformerDecoder, valueHead: ValueHead, reference: any TransformerDecoder, config: PPOConfig,
        prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, endOfSequence: Int32, handler: @escaping TrainingEventHandler
    ) throws {
        try self.init(
            policy: policy, valueHead: valueHead, reference: reference, config: config, prompts: prompts,
            evaluationPrompts: evaluationPrompts, rewardFunction: rewardFunction, tokenizer: tokenizer,
            ends: EndTokens(closing: endOfSequence), handler: handler)
    }

    /// How many layers policy and reference have in common; their output is computed once.
    public var sharedTrunkLayers: Int { trunkLayers }

    var optimizerStepsInAll: Int {
        config.totalSteps * config.epochs * (config.rolloutBatchSize / config.learnBatchSize)
    }

    /// Everything that the next step depends on besides the weights.
    public var snapshot: TrainerSnapshot {
        TrainerSnapshot(
            step: step, optimizerSteps: optimizer.stepCount, tokens: tokens, order: order,
            numbers: statistics.numbers.merging([
                "kl_coefficient": controller.coefficient, "logs": Double(logs), "advantages.count": moments.count,
                "advantages.mean": moments.mean, "advantages.squares": moments.squares,
                "learned_columns": Double(learnedColumns),
            ]) { $1 }.merging(badBatches.numbers) { $1 }.merging(laggingKL.numbers) { $1 }, tensors: optimizer.state)
    }

    /// Continues from a snapshot; policy and head must hold the weights of the same moment.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other prompts or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimizer.restore(snapshot.tensors, stepCount: snapshot.optimizerSteps)
        (step, tokens, order) = (snapshot.step, snapshot.tokens, snapshot.order)
        controller.coefficient = snapshot.numbers["kl_coefficient"] ?? controller.coefficient
        statistics = PPOStatistics(numbers: snapshot.numbers)
        func number(_ name: String) -> Double { snapshot.numbers[name] ?? 0 }
        moments = RunningMoments(
            count: number("advantages.count"), mean: number("advantages.mean"), squares: number("advantages.squares"))
        logs = snapshot.count("logs")
        laggingKL = OriginalPPO.LaggingKL(numbers: snapshot.numbers)
        learnedColumns = snapshot.count("learned_columns")
        badBatches.restore(snapshot.numbers)
    }

    /// Trains until the last step, or until `shouldStop` says so after a step.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError``, with the weights as they were before the step that failed; what the reward function, the handler and
    ///   `checkpoint` throw.
    @discardableResult
    public func run(
        checkpoint: (PPOTrainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false },
        shouldStop: () -> Bool = { false }
    ) throws -> Bool {
        try handler(.began(stage: "ppo", totalSteps: config.totalSteps))
        if trunkLayers > 0 {
            try handler(.noted("policy and reference share \(trunkLayers) of \(policy.shape.layerCount) layers"))
        }
        if step == 0, config.evaluatesAtStart { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop)
    }

    var totalSteps: Int { config.totalSteps }
    var intervals: StepIntervals {
        StepIntervals(
            log: config.logSteps, evaluation: config.evaluationSteps, checkpoint: config.checkpointSteps)
    }

    func log() throws {
        var values = takeStatistics().merging(badBatches.numbers) { $1 }
        values["algo_steps"] = Double(step)
        values["optimizer_steps"] = Double(optimizer.stepCount)
        values["rollouts"] = Double(step * config.rolloutBatchSize)
        values["tokens"] = Double(tokens)
        if config.compatibility.reportsOriginalColumns { values["env_train_steps"] = Double(learnedColumns) }
        if config.normalisesOverRun { values["running_advantages"] = moments.mean }
        try handler(.measured(step: step, values: values))
        laggingKL = OriginalPPO.LaggingKL()
        logs += 1
        if let every = config.tableLogs, logs % every == 0, !lastRollouts.isEmpty {
            try handler(.sampled(table: "rollouts", rows: lastRollouts))
        }
    }

    /// One step of the algorithm; returns minus the mean score of its rollouts, nil when they were passed over.
    func trainStep() throws -> Double? {
        let batch = (0..<config.rolloutBatches).flatMap { _ in order.next() }.map { prompts[$0] }
        var score: Double?
        if try !passingOverBadBatches({ score = try trainStep(on: batch) }) {
            lastRollouts = []
            step += 1
        }
        return score.map { -$0 }
    }

    /// Works on a batch. When numbers of it are not finite and the run may pass over such batches, it is as if the batch had not been.
    /// - Returns: whether the work was done.
    private func passingOverBadBatches(_ body: () throws -> Void) throws -> Bool {
        let before = (statistics, moments, learnedColumns)
        do {
            try body()
            return true
        } catch let error as TrainingError where badBatches.passesOver(error) {
            (statistics, moments, learnedColumns) = before
            try handler(.noted(badBatches.note(error)))
            return false
        }
    }

    private func trainStep(on batch: [TokenisedPrompt]) throws -> Double {
        let stream = random.split("rollout").split(UInt64(step))
        let clock = ContinuousClock()
        var start = clock.now
        func seconds() -> Double {
            defer { start = clock.now }
            return (clock.now - start) / .seconds(1)
        }

        // 1. responses, with their log-probabilities, values and trunk states
        var rollouts = try respond(to: batch, streams: batch.indices.map { stream.split(UInt64($0)) })
        lastPhases.generate = seconds()
        // 2. scores
        let rawScores = try score(rollouts, prompts: batch)
        for i in rollouts.indices {
            rollouts[i].score = TokenRewards.shapedScore(
                rawScores[i], length: rollouts[i].response.count, ended: rollouts[i].ended, config: config)
            if let trunk = rollouts[i].trunk {
                rollouts[i].trunk = trunk.rows(0..<rollouts[i].prompt.count + rollouts[i].response.count - 1)
            }
        }
        // 3. log-probabilities of the same tokens: the reference's, and the policy's where sampling has not given them
        if config.compatibility.padsResponses { pad(&rollouts) }
        if config.compatibility.padsResponses || config.temperature != config.sampling.temperature {
            predictAnew(&rollouts)
        }
        addReferenceLogProbs(to: &rollouts)
        try checkFinite(rollouts)
        lastPhases.score = seconds()
        // 4. a reward for every token; 5. advantages and returns, from the values at sampling time
        addAdvantages(to: &rollouts)
        statistics.add(
            rollouts, rawScores: rawScores, klCoefficient: controller.coefficient,
            textLengths: config.compatibility.reportsOriginalColumns ? textLengths(of: rollouts) : nil, config: config)
        statistics.add("rollout_kl_coef", controller.coefficient)
        if config.tableLogs != nil { lastRollouts = rows(of: rollouts, prompts: batch, scores: rawScores) }
        // 6. the KL weight of the next rewards, and of this step's loss where the KL is part of it
        if config.compatibility.adaptsSinceLog {
            laggingKL.update(&controller, rollouts: rollouts.count / config.rolloutBatches)
            laggingKL.add(rollouts.reduce(0) { $0 + $1.controlledKL(config) } / Double(rollouts.count))
        } else {
            controller.update(
                meanKL: rollouts.reduce(0) { $0 + $1.sequenceKL } / Double(rollouts.count), rollouts: rollouts.count)
        }
        statistics.add("kl_coef", controller.coefficient)
        // 7. learning
        for epoch in 0..<config.epochs {
            var shuffle = random.split("learn").split(UInt64(step)).split(UInt64(epoch))
            let mixed = shuffled(rollouts, using: &shuffle)
            for begin in stride(from: 0, to: mixed.count, by: config.learnBatchSize) {
                _ = try passingOverBadBatches { try learn(Array(mixed[begin..<begin + config.learnBatchSize])) }
            }
        }
        lastPhases.learn = seconds()
        tokens += rollouts.reduce(0) { $0 + $1.prompt.count + $1.length }
        step += 1
        return rawScores.reduce(0, +) / Double(rawScores.count)
    }
}
