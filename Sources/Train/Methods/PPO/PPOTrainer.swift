public import Data
public import Eval
import Formats
public import Models
import Tensor

/// The trainer for policy optimisation of a language model: it samples responses, scores them, and updates the policy towards
/// responses that are better than expected. The baseline is a value head (PPO), the other responses to the prompt, or another one
/// (``AdvantageEstimator``).
///
/// The policy's frozen layers process every token once, during sampling. The reference, the values and all epochs of learning
/// start from their output. Sampling also provides every token's log-probability, so the policy is not run again before learning.
///
/// Several processes can train one policy: each rank of a ``Collective`` creates the same trainer and calls the same functions. Each
/// samples and scores responses to a share of the prompts, and learns from a share of every learn batch. All ranks report the same
/// events; only rank 0 should write them. Random draws do not depend on the number of ranks, and weights and metrics are those of
/// one process up to rounding. The reward function of each rank gets only the responses to that rank's prompts, unless it depends
/// on all of them (`RewardFunction.dependsOnBatch`).
public final class PPOTrainer: SteppedTrainer {
    /// The policy that is trained.
    public let policy: any TransformerDecoder
    /// The value head; nil for methods without one.
    public let valueHead: ValueHead?
    /// The reference model for the KL; nil if no KL is measured.
    public let reference: (any TransformerDecoder)?
    /// The settings.
    public let config: PPOConfig
    let prompts: [TokenisedPrompt]
    let evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])]
    let rewardFunction: any RewardFunction
    let tokenizer: any Tokenizer
    let ends: EndTokens
    let handler: TrainingEventHandler
    let collective: CountingCollective
    let random: Philox
    /// The loss with the models that it trains, and the statistics since the last log line.
    package let objective: PPOObjective
    let optimization: OptimizerSteps<PPOObjective>
    /// The variant of PPO's arithmetic that is in use.
    var arithmetic: any PPOArithmetic
    var order: BatchOrder
    var controller: KLController
    var tokens = 0
    /// The number of columns of all learn batches so far. A batch counts with its width once, for all of its rows.
    var learnedColumns = 0
    /// The moments of all advantages so far, for the normalisation over the run.
    var moments = RunningMoments()
    var logs = 0
    var badBatches: BadBatches
    var lastRollouts: [SampleRow] = []

    /// The number of steps (sampling and learning) done.
    public internal(set) var step = 0
    /// What the steps since this trainer was created have sent to other ranks: gradients, weights, responses and agreements.
    public internal(set) var traffic = StepTraffic()
    /// The wall-clock times of the last step's phases.
    public internal(set) var lastPhases = PhaseTimes()
    /// The metrics of the last evaluation, by name.
    public internal(set) var lastEvaluation: [String: Double] = [:]

    /// The durations of a step's phases, in seconds.
    public struct PhaseTimes: Sendable, Equatable {
        /// Sampling, including log-probabilities and values.
        public var generate = 0.0
        /// The reference's log-probabilities and the reward function.
        public var score = 0.0
        /// Rewards, advantages and the optimiser steps of all epochs.
        public var learn = 0.0
    }

    /// Creates a trainer.
    /// - Parameters:
    ///   - policy: the model to train. It is frozen according to the settings.
    ///   - valueHead: the value head; nil for methods without one.
    ///   - reference: the reference model for the KL. If it is a copy of the policy, both share memory and frozen layers. nil is
    ///     allowed if the KL has weight 0; then no KL is measured.
    ///   - config: the settings.
    ///   - prompts: the training prompts.
    ///   - evaluationPrompts: named sets that are answered greedily at step 0, at intervals and at the end.
    ///   - rewardFunction: scores the responses.
    ///   - tokenizer: the policy's tokenizer.
    ///   - ends: the tokens that end a response.
    ///   - collective: the ranks that train together. Default: this process alone.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for invalid settings, fewer prompts than a rollout batch, or a prompt that leaves no room for
    ///   a response in the context.
    public init(
        policy: any TransformerDecoder, valueHead: ValueHead?, reference: (any TransformerDecoder)?, config: PPOConfig,
        prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, ends: EndTokens, collective: any Collective = LocalCollective(),
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        try config.validate()
        try config.steps.check(ranks: collective.size)
        try Settings.require(
            (valueHead != nil) == config.advantages.usesValues, "the value head", valueHead == nil ? "missing" : "given",
            "\(config.advantages.name) \(config.advantages.usesValues ? "needs one" : "does not use one")")
        try Settings.require(
            reference != nil || (config.klCoefficient == 0 && config.klTarget == nil), "the KL coefficient", config.klCoefficient,
            "there is no reference model to measure the KL against")
        let rolloutBatch = config.rolloutBatchSize / config.rolloutBatches
        guard prompts.count >= rolloutBatch else {
            throw TrainingError.invalidSetting(
                name: "the rollout batch size", value: "\(rolloutBatch)",
                rule: "there \(Counted.form(prompts.count, "is", "are")) only \(Counted(prompts.count, "prompt"))")
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
        let collective = CountingCollective(collective)
        (self.tokenizer, self.ends, self.collective, self.handler) = (tokenizer, ends, collective, handler)
        config.freezing.apply(to: policy)
        reference?.parameters.forEach { $0.isTrainable = false }
        arithmetic = config.compatibility == .sane ? PlainPPO(config: config) : OriginalPPO(config)
        objective = PPOObjective(
            policy: policy, valueHead: valueHead,
            trunkLayers: reference.map { Trunk.share(policy, with: $0, atMost: policy.frozenTrunk).layers } ?? policy.frozenTrunk,
            validTokens: tokenizer.vocabularySize, arithmetic: arithmetic)
        optimization = OptimizerSteps(objective, config: config.steps, collective: collective)
        order = try BatchOrder(seed: config.seed, count: prompts.count, batchSize: rolloutBatch, dropLast: true)
        controller = KLController(coefficient: config.klCoefficient, target: config.klTarget, horizon: config.klHorizon)
        random = Philox(seed: config.seed).split("ppo")
        badBatches = BadBatches(limit: config.skippedBatches)
    }

    /// Creates a trainer whose responses end with a single token; see the other initialiser.
    /// - Throws: the errors of the other initialiser.
    public convenience init(
        policy: any TransformerDecoder, valueHead: ValueHead?, reference: (any TransformerDecoder)?, config: PPOConfig,
        prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, endOfSequence: Int32, collective: any Collective = LocalCollective(),
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        try self.init(
            policy: policy, valueHead: valueHead, reference: reference, config: config, prompts: prompts,
            evaluationPrompts: evaluationPrompts, rewardFunction: rewardFunction, tokenizer: tokenizer,
            ends: EndTokens(closing: endOfSequence), collective: collective, handler: handler)
    }

    /// The number of first layers that policy and reference have in common or, without a reference, that are frozen. Their output
    /// is computed once.
    public var sharedTrunkLayers: Int { objective.trunkLayers }

    var totalSteps: Int { config.totalSteps }
    var optimizer: Adam { optimization.optimizer }
    var steps: StepConfig { config.steps }

    /// Trains until the last step, or until `shouldStop` returns true after a step.
    /// - Parameters:
    ///   - checkpoint: called after every `checkpointSteps` steps, when `shouldSave` returns true, and before stopping early.
    ///   - shouldSave: called after every step.
    ///   - shouldStop: called after every step.
    ///   - stepsBegin: called before the first step, after the evaluation that may precede it; not if no steps remain.
    /// - Returns: whether the run is complete.
    /// - Throws: ``TrainingError``, with the weights as they were before the optimiser step that failed;
    ///   ``TrainingError/weightNotFinite(name:step:)`` before such a weight is evaluated or saved; errors of the reward
    ///   function, the handler and `checkpoint`; ``CollectiveError`` when another rank fails.
    @discardableResult
    public func run(
        checkpoint: (PPOTrainer) throws -> Void = { _ in }, shouldSave: () -> Bool = { false }, shouldStop: () -> Bool = { false },
        stepsBegin: () -> Void = {}
    ) throws -> Bool {
        try checkRanks()
        try collective.together {
            try handler(.began(stage: objective.stage, totalSteps: config.totalSteps, step: step, tokens: tokens))
            if sharedTrunkLayers > 0, reference != nil {
                try handler(.noted("policy and reference share \(sharedTrunkLayers) of \(Counted(policy.shape.layerCount, "layer"))"))
            }
        }
        if step == 0, config.evaluatesAtStart { try evaluate() }
        return try takeSteps(checkpoint: checkpoint, shouldSave: shouldSave, shouldStop: shouldStop, stepsBegin: stepsBegin)
    }

    /// Takes one step of the algorithm. Returns the mean score of its rollouts; nil when they were skipped.
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
        try arithmetic.complete(&rollouts, padding: padding, predict: predictions)
        try addSharedReferenceLogProbs(to: &rollouts)
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

    /// Processes a batch. If it has NaN or Inf and the run may skip it, the statistics are restored to their state before the
    /// batch.
    func undoingBadBatches<Result>(_ body: () throws -> Result) throws -> Result? {
        let before = (objective.statistics, moments, learnedColumns)
        let result = try passingOverBadBatches(body)
        if result == nil { (objective.statistics, moments, learnedColumns) = before }
        return result
    }
}

/// Measures the seconds between successive calls of `lap()`.
struct Stopwatch {
    private var start = ContinuousClock.now

    mutating func lap() -> Double {
        let now = ContinuousClock.now
        defer { start = now }
        return (now - start) / .seconds(1)
    }
}
