public import Data
public import Eval
public import Models
import Tensor

/// Policy optimisation on a language model: sample responses, score them, and move the policy towards those that did better than expected. What is
/// expected says a value head (PPO), or what the other responses to a prompt got (``AdvantageEstimator``).
///
/// The policy's frozen layers are run once for every token, while it is sampled; the reference, the values and all epochs of learning
/// start from their output. Sampling has already given every token's log-probability, so the policy is not run again before it learns.
public final class PPOTrainer: SteppedTrainer {
    /// The model that learns.
    public let policy: any TransformerDecoder
    /// Its value function; nil for methods that have none.
    public let valueHead: ValueHead?
    /// The model that the KL is measured against; nil where no KL is measured.
    public let reference: (any TransformerDecoder)?
    /// The settings.
    public let config: PPOConfig
    let prompts: [TokenisedPrompt]
    let evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])]
    let rewardFunction: any RewardFunction
    let tokenizer: any Tokenizer
    let ends: EndTokens
    let handler: TrainingEventHandler
    let random: Philox
    /// The loss, with the models that it trains, and what was seen since the last log line.
    package let objective: PPOObjective
    let optimization: OptimizerSteps<PPOObjective>
    /// Answers where arithmetic can be another.
    var arithmetic: any PPOArithmetic
    var order: BatchOrder
    var controller: KLController
    var tokens = 0
    /// Columns of the learn batches so far, one for all rows of a batch.
    var learnedColumns = 0
    /// The moments of all advantages so far, for runs that normalise by them.
    var moments = RunningMoments()
    var logs = 0
    var badBatches: BadBatches
    var lastRollouts: [SampleRow] = []

    /// Steps (rollout and learning) done.
    public internal(set) var step = 0
    /// The wall-clock time of the last step's phases.
    public internal(set) var lastPhases = PhaseTimes()
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
    ///   - valueHead: what values are read with; methods without values take none.
    ///   - reference: the model that the KL is measured against. A copy of the policy shares its memory and its frozen layers. None is needed where
    ///     the KL has no weight; then it is not measured.
    ///   - evaluationPrompts: named sets that are answered greedily at step 0, at intervals and at the end.
    /// - Throws: ``TrainingError`` for settings without meaning, fewer prompts than a rollout batch, or a prompt that the context has no
    ///   room for.
    public init(
        policy: any TransformerDecoder, valueHead: ValueHead?, reference: (any TransformerDecoder)?, config: PPOConfig,
        prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, ends: EndTokens, handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        try config.validate()
        try Settings.require(
            (valueHead != nil) == config.advantages.usesValues, "the value head", valueHead == nil ? "missing" : "given",
            "\(config.advantages.name) \(config.advantages.usesValues ? "needs one" : "has none")")
        try Settings.require(
            reference != nil || (config.klCoefficient == 0 && config.klTarget == nil), "the KL coefficient", config.klCoefficient,
            "there is no reference to measure a KL against")
        let rolloutBatch = config.rolloutBatchSize / config.rolloutBatches
        guard prompts.count >= rolloutBatch else {
            throw TrainingError.invalidSetting(
                name: "the rollout batch size", value: "\(rolloutBatch)",
                rule: "there are only \(prompts.count) prompts")
        }
        let context = min(policy.shape.contextLength, reference?.shape.contextLength ?? .max)
        let room = context - config.sampling.maxNewTokens - 1
        for prompt in prompts + evaluationPrompts.flatMap(\.prompts) {
            guard !prompt.tokens.isEmpty else { throw TrainingError.noTokens("prompt \(prompt.id)") }
            try policy.check(prompt.tokens, id: prompt.id, room: room)
            try reference?.check(prompt.tokens, id: prompt.id, room: room)
        }
        (self.policy, self.valueHead, self.reference, self.config) = (policy, valueHead, reference, config)
        (self.prompts, self.evaluationPrompts, self.rewardFunction) = (prompts, evaluationPrompts, rewardFunction)
        (self.tokenizer, self.ends, self.handler) = (tokenizer, ends, handler)
        config.freezing.apply(to: policy)
        reference?.parameters.forEach { $0.isTrainable = false }
        arithmetic = config.compatibility == .sane ? PlainPPO(config: config) : OriginalPPO(config)
        objective = PPOObjective(
            policy: policy, valueHead: valueHead,
            trunkLayers: reference.map { Trunk.share(policy, with: $0, atMost: policy.frozenTrunk).layers } ?? policy.frozenTrunk,
            validTokens: tokenizer.vocabularySize, arithmetic: arithmetic)
        optimization = OptimizerSteps(objective, config: config.steps)
        order = try BatchOrder(seed: config.seed, count: prompts.count, batchSize: rolloutBatch, dropLast: true)
        controller = KLController(coefficient: config.klCoefficient, target: config.klTarget, horizon: config.klHorizon)
        random = Philox(seed: config.seed).split("ppo")
        badBatches = BadBatches(limit: config.skippedBatches)
    }

    /// A trainer whose responses one token ends; see the other initialiser.
    /// - Throws: as there.
    public convenience init(
        policy: any TransformerDecoder, valueHead: ValueHead?, reference: (any TransformerDecoder)?, config: PPOConfig,
        prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, endOfSequence: Int32, handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        try self.init(
            policy: policy, valueHead: valueHead, reference: reference, config: config, prompts: prompts,
            evaluationPrompts: evaluationPrompts, rewardFunction: rewardFunction, tokenizer: tokenizer,
            ends: EndTokens(closing: endOfSequence), handler: handler)
    }

    /// How many layers policy and reference have in common, without a reference how many are frozen; their output is computed once.
    public var sharedTrunkLayers: Int { objective.trunkLayers }

    var totalSteps: Int { config.totalSteps }
    var steps: StepConfig { config.steps }

    /// Trains until the last step, or until `shouldStop` says so after a step.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError``, with the weights as they were before the step that failed; what the reward function, the handler and
    ///   `checkpoint` throw.
    @discardableResult
    public func run(
        checkpoint: (PPOTrainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false },
        shouldStop: () -> Bool = { false }
    ) throws -> Bool {
        try handler(.began(stage: objective.stage, totalSteps: config.totalSteps))
        if sharedTrunkLayers > 0, reference != nil {
            try handler(.noted("policy and reference share \(sharedTrunkLayers) of \(policy.shape.layerCount) layers"))
        }
        if step == 0, config.evaluatesAtStart { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop)
    }

    /// One step of the algorithm; returns the mean score of its rollouts, nil when they were passed over.
    func trainStep() throws -> ProgressFigure? {
        let batch = (0..<config.rolloutBatches).flatMap { _ in order.next() }.map { prompts[$0] }
        let score = try undoingBadBatches { try trainStep(on: batch) }
        if score == nil { lastRollouts = [] }
        step += 1
        return score.map { ProgressFigure("score", $0) }
    }

    private func trainStep(on prompts: [TokenisedPrompt]) throws -> Double {
        var watch = Stopwatch()
        lastPhases = PhaseTimes()
        let drawn = try learnable(prompts, watch: &watch)
        var rollouts = drawn.rollouts
        let scores = drawn.scores
        arithmetic.complete(&rollouts, padding: padding, predict: predictions)
        addReferenceLogProbs(to: &rollouts)
        try checkFinite(rollouts)
        lastPhases.score += watch.lap()

        addRewards(to: &rollouts)
        addAdvantages(to: &rollouts)
        record(rollouts, of: drawn.responses, scores: scores)
        adaptKLWeight(to: rollouts)
        for epoch in 0..<config.epochs { try learn(from: rollouts, epoch: epoch) }
        lastPhases.learn = watch.lap()

        tokens += rollouts.reduce(0) { $0 + $1.prompt.count + $1.length }
        return scores.reduce(0, +) / Double(scores.count)
    }

    /// Works on a batch. When numbers of it are not finite and the run may pass over such batches, it is as if the batch had not been.
    func undoingBadBatches<Result>(_ body: () throws -> Result) throws -> Result? {
        let before = (objective.statistics, moments, learnedColumns)
        let result = try passingOverBadBatches(body)
        if result == nil { (objective.statistics, moments, learnedColumns) = before }
        return result
    }
}

/// Seconds between one look and the next.
struct Stopwatch {
    private var start = ContinuousClock.now

    mutating func lap() -> Double {
        let now = ContinuousClock.now
        defer { start = now }
        return (now - start) / .seconds(1)
    }
}
