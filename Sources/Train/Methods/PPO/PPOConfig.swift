public import Models

/// The settings of policy optimisation: PPO (Schulman et al. 2017) on a language model, with the paper's names beside ours in Docs/porting.md, and
/// methods without a value head (``AdvantageEstimator``). Those of the steps are read and set as if they were its own: `config.seed`.
public struct PPOConfig: StepSettings, Sendable {
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
    /// How rewards become advantages. ``init(_:)`` sets what else belongs to a method.
    public var advantages = AdvantageEstimator.gae
    /// Prompts of one step.
    public var rolloutBatchSize = 16
    /// Responses to each of them.
    public var generations = 1
    /// Further rollout batches of a step at most, drawn in place of groups of responses whose rewards are all the same (DAPO's dynamic sampling).
    public var extraBatches = 0
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
    /// What advantages of a group are divided by.
    public var rewardScaling = RewardScaling.group
    /// Makes of a group's scores the scores that are learned from; nil leaves them.
    public var groupReward: GroupReward?
    /// The policy ratio is clipped to 1 ± this; nil leaves it.
    public var policyClip: Double? = 0.2
    /// The range of the ratio ends at 1 + this, where that is not ``policyClip`` (DAPO's clip-higher).
    public var policyClipHigh: Double?
    /// Ratios of tokens with a negative advantage are clipped at this; nil leaves them (dual clip).
    public var dualClip: Double?
    /// The policy's term of a token; ``PolicySurrogate/clipped`` unless set, or without a clip ``PolicySurrogate/gradient``.
    public var surrogate: PolicySurrogate?
    /// What ratios are taken of.
    public var ratio = RatioLevel.token
    /// How the terms of tokens become a loss.
    public var aggregation = LossAggregation.tokens
    /// Whether a KL in the loss is corrected by the ratio: ``PolicyLoss/KLTerm/isCorrected``.
    public var correctsKL = false
    /// Whether responses that did not end by themselves are left out of the loss.
    public var masksTruncated = false
    /// The value is clipped to its old value ± this; nil leaves it.
    public var valueClip: Double? = 0.2
    /// The weight of the value loss.
    public var valueCost = 0.1
    /// The weight of the entropy bonus.
    public var entropyCost = 0.0
    /// When set, the entropy bonus keeps the entropy of a token near this, in nats: see ``EntropyController``.
    public var entropyTarget: Double?
    /// What the weight of the bonus moves by in an optimiser step, with a target.
    public var entropyStep = 0.005
    /// The greatest weight of the bonus, with a target.
    public var entropyLimit = 1.0
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
    /// The last tokens that a response may have lose it up to ``overlongPenalty``, the more the nearer it comes to the full length; nil for none
    /// (DAPO's soft overlong punishment).
    public var overlongBuffer: Int?
    /// What a response of full length loses, with a buffer.
    public var overlongPenalty = 1.0
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

    /// What the advantages of a group of responses are divided by.
    public enum RewardScaling: String, Sendable, CaseIterable {
        /// The deviation of the group's rewards.
        case group
        /// The deviation of all rewards of the step.
        case batch
        /// Nothing (Dr. GRPO).
        case none
    }

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

    /// The settings that a method was published with.
    public init(_ method: AdvantageEstimator) {
        self.init()
        advantages = method
        method.configure(&self)
    }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try steps.validate()
        try Settings.require(totalSteps > 0, "the number of steps", totalSteps, "it must be above 0")
        try Settings.require(rolloutBatchSize > 0, "the rollout batch size", rolloutBatchSize, "it must be above 0")
        try Settings.require(
            generations >= advantages.fewestGenerations && generations > 0, "the number of generations", generations,
            "\(advantages.name) needs \(max(1, advantages.fewestGenerations)) or more responses to a prompt")
        try Settings.require(
            learnBatchSize > 0 && rollouts % learnBatchSize == 0, "the learn batch size", learnBatchSize,
            generations == 1
                ? "it must divide the rollout batch size \(rolloutBatchSize)"
                : "it must divide the \(rollouts) responses of a step (\(rolloutBatchSize) prompts, \(generations) responses to each)")
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
            ("the KL target", klTarget), ("the KL horizon", klHorizon), ("the upper policy clipping", policyClipHigh),
            ("the entropy target", entropyTarget),
        ] {
            guard let bound else { continue }
            try Settings.require(bound > 0, name, bound, "it must be above 0")
        }
        try validateMethod()
    }

    private func validateMethod() throws {
        if let overlongBuffer {
            try Settings.require(
                (1...sampling.maxNewTokens).contains(overlongBuffer), "the overlong buffer", overlongBuffer,
                "it must be in 1...\(sampling.maxNewTokens), the most new tokens")
        }
        try Settings.require(overlongPenalty >= 0, "the overlong penalty", overlongPenalty, "it must not be negative")
        try Settings.require(extraBatches >= 0, "the number of extra batches", extraBatches, "it must not be negative")
        try Settings.require(
            extraBatches == 0 || generations > 1, "the number of extra batches", extraBatches,
            "one response to a prompt is no group whose rewards could differ")
        try Settings.require(
            groupReward == nil || generations > 1, "the number of generations", generations,
            "a reward of groups needs 2 or more responses to a prompt")
        if let dualClip {
            let high = 1 + (policyClipHigh ?? policyClip ?? 0)
            try Settings.require(
                dualClip > high, "the dual clip", dualClip, "it must be above the range of the ratio, which ends at \(high)")
        }
        for (name, value) in [("the entropy step", entropyStep), ("the greatest entropy weight", entropyLimit)] {
            try Settings.require(value >= 0 && value.isFinite, name, value, "it must not be negative")
        }
        guard compatibility != .sane || correctsImportance else { return }
        try Settings.require(
            advantages.usesValues, "the advantage estimator", advantages.name,
            correctsImportance
                ? "the importance correction belongs to gae and vtrace" : "the original's arithmetic knows gae and vtrace alone")
        try Settings.require(
            compatibility == .sane || (generations == 1 && !masksTruncated), "the number of generations", generations,
            "the original's arithmetic knows one response to a prompt, all of which count")
    }

    /// The responses of one step.
    public var rollouts: Int { rolloutBatchSize * generations }

    /// The optimiser steps of a whole run.
    var optimizerSteps: Int { totalSteps * epochs * (rollouts / learnBatchSize) }

    /// The loss of the policy, with the KL in it where it is no reward.
    /// - Parameter klCoefficient: its weight; nil without a reference.
    func policyLoss(klCoefficient: Double?) -> PolicyLoss {
        var loss = PolicyLoss()
        loss.surrogate = surrogate ?? (policyClip == nil ? .gradient : .clipped)
        (loss.ratio, loss.aggregation) = (ratio, aggregation)
        loss.clip = PolicyClip(low: policyClip ?? .infinity, high: policyClipHigh, dual: dualClip)
        if !klAsReward, let klCoefficient { loss.kl = .init(klEstimator, weight: klCoefficient, isCorrected: correctsKL) }
        return loss
    }
}
