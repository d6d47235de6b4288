public import Models

/// The settings of PPO (Schulman et al. 2017) on a language model, with the paper's names beside ours in Docs/porting.md. Those of the steps
/// are read and set as if they were its own: `config.seed`.
public struct PPOConfig: StepSettings, Codable, Sendable, Equatable {
    /// How the difference d = log p_reference − log p_policy of a sampled token becomes a KL estimate (Schulman 2020).
    public enum KLEstimator: Int, Codable, Sendable, CaseIterable {
        /// −d: unbiased, may be negative.
        case k1 = 1
        /// d²/2: biased, small variance. The paper's choice.
        case k2 = 2
        /// eᵈ − 1 − d: unbiased, never negative.
        case k3 = 3
    }

    /// How optimiser steps are taken, and what is due behind the algorithm's steps.
    public var steps = StepConfig()
    /// Rollouts followed by learning.
    public var totalSteps = 500
    /// Prompts of one step.
    public var rolloutBatchSize = 16
    /// Rollouts of one optimiser step.
    public var learnBatchSize = 16
    /// Passes over the rollouts of a step.
    public var epochs = 4
    /// How responses are drawn.
    public var sampling = SamplingOptions(maxNewTokens: 48)
    /// The weight of the KL penalty.
    public var klCoefficient = 0.05
    /// The estimate of the KL.
    public var klEstimator = KLEstimator.k2
    /// Whether the KL is part of the reward of every token (else of the loss).
    public var klAsReward = true
    /// When set, the coefficient moves towards this mean KL of a response (Ziegler et al. 2019).
    public var klTarget: Double?
    /// The controller's horizon in rollouts.
    public var klHorizon = 10_000.0
    /// γ
    public var discount = 1.0
    /// λ of generalised advantage estimation.
    public var lambda = 0.95
    /// The policy ratio is clipped to 1 ± this; nil leaves it.
    public var policyClip: Double? = 0.2
    /// The value is clipped to its old value ± this; nil leaves it.
    public var valueClip: Double? = 0.2
    /// The weight of the value loss.
    public var valueCost = 0.1
    /// The weight of the entropy bonus.
    public var entropyCost = 0.0
    /// Whether advantages follow the recursion of GAE (else V-trace: reward and discounted return behind it, minus the value).
    public var usesGAE = true
    /// Whether advantages and returns are corrected by min(1, p_learner / p_behaviour), anew in every optimiser step.
    public var correctsImportance = false
    /// Whether the advantages of an optimiser step are given mean 0 and deviation 1.
    public var normalisesAdvantages = true
    /// Whether mean and deviation are those of all advantages of the run so far.
    public var normalisesOverRun = false
    /// Rollout batches that `rolloutBatchSize` consists of; they share a width where responses are padded.
    public var rolloutBatches = 1
    /// Learn batches that `learnBatchSize` consists of, for ``PPOCompatibility/Accumulation``.
    public var learnBatches = 1
    /// Where the original's arithmetic changes numbers.
    public var compatibility = PPOCompatibility.sane
    /// Multiplies the score.
    public var rewardScale = 1.0
    /// Every token's reward (score and KL) is clipped to ± this; nil leaves it.
    public var rewardClip: Double?
    /// Replaces the score of a response that did not end by itself; nil leaves it.
    public var missingEndScore: Double?
    /// −coefficient · (length / maxNewTokens)^power is added to the score.
    public var lengthPenalty: LengthPenalty?
    /// Added to the score of a response that ends by itself.
    public var endBonus = 0.0
    /// What stays as it is.
    public var freezing = Freezing()
    /// Whether the model is evaluated before the first step.
    public var evaluatesAtStart = true
    /// Every so many log lines, the last rollouts become rows of a table; nil for never.
    public var tableLogs: Int? = 10
    /// Prompts of an evaluation that are rewarded together, for rewards that depend on the width of a batch; nil for all of them.
    public var evaluationBatchSize: Int?

    /// A penalty that grows with a response's length.
    public struct LengthPenalty: Codable, Sendable, Equatable {
        /// The most that a response loses, at full length.
        public var coefficient: Double
        /// How steeply the loss grows.
        public var power: Double

        /// A penalty with the paper's values unless set.
        public init(coefficient: Double = 0.1, power: Double = 5) { (self.coefficient, self.power) = (coefficient, power) }
    }

    /// The values of the paper's code or, where that is a bug, the sane values.
    public init() {
        (steps.optimizer, steps.schedule) = (AdamConfig(learningRate: 1e-4, clipNorm: nil), Schedule(.linear))
        (steps.logSteps, steps.seed) = (5, 600)
    }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try steps.validate()
        try Settings.require(totalSteps > 0, "the number of steps", totalSteps, "it must be above 0")
        try Settings.require(rolloutBatchSize > 0, "the rollout batch size", rolloutBatchSize, "it must be above 0")
        try Settings.require(
            learnBatchSize > 0 && rolloutBatchSize % learnBatchSize == 0, "the learn batch size", learnBatchSize,
            "it must divide the rollout batch size \(rolloutBatchSize)")
        for (name, count, whole) in [
            ("the number of rollout batches", rolloutBatches, rolloutBatchSize),
            ("the number of learn batches", learnBatches, learnBatchSize),
        ] {
            try Settings.require(count > 0 && whole % count == 0, name, count, "it must divide \(whole)")
        }
        try Settings.requirePositive(tableLogs, "the table interval")
        try Settings.require(epochs > 0, "the number of PPO epochs", epochs, "it must be above 0")
        try Settings.require(
            sampling.maxNewTokens > 0, "the number of new tokens", sampling.maxNewTokens, "it must be above 0")
        try Settings.require(
            sampling.temperature > 0, "the temperature", sampling.temperature, "PPO samples: it must be above 0")
        try Settings.require(klCoefficient >= 0, "the KL coefficient", klCoefficient, "it must not be negative")
        try Settings.require((0...1).contains(discount), "the discount", discount, "it must be in 0...1")
        try Settings.require((0...1).contains(lambda), "lambda", lambda, "it must be in 0...1")
        try freezing.validate()
        for (name, bound) in [
            ("the policy clipping", policyClip), ("the value clipping", valueClip), ("the reward clipping", rewardClip),
            ("the KL target", klTarget), ("the KL horizon", klHorizon),
        ] {
            guard let bound else { continue }
            try Settings.require(bound > 0, name, bound, "it must be above 0")
        }
    }

    /// The optimiser steps of a whole run.
    var optimizerSteps: Int { totalSteps * epochs * (rolloutBatchSize / learnBatchSize) }
}
