import Formats
public import Models

/// The settings of policy optimisation: PPO (Schulman et al. 2017) for language models, and methods without a value head
/// (``AdvantageEstimator``). Docs/porting.md lists the paper's names of the settings. The settings of ``steps`` can be accessed
/// directly: `config.seed`.
public struct PPOConfig: StepSettings, Sendable {
    /// The KL estimator of a sampled token, a function of d = log p_reference − log p_policy (Schulman 2020).
    public enum KLEstimator: Int, Codable, Sendable, CaseIterable {
        /// −d: unbiased, may be negative.
        case k1 = 1
        /// d²/2: biased, low variance. The paper's choice.
        case k2 = 2
        /// eᵈ − 1 − d: unbiased, never negative.
        case k3 = 3
    }

    /// The settings of optimiser steps and of what follows a step of the algorithm.
    public var steps = StepConfig()
    /// The number of steps; each samples rollouts and then learns from them.
    public var totalSteps = 500
    /// The method: how rewards become advantages. ``init(_:)`` also applies the method's published settings.
    public var advantages = AdvantageEstimator.gae
    /// The number of prompts per step.
    public var rolloutBatchSize = 16
    /// The number of responses per prompt.
    public var generations = 1
    /// The maximum number of further rollout batches per step that replace groups of responses with equal rewards (DAPO's dynamic
    /// sampling).
    public var extraBatches = 0
    /// The number of rollouts per optimiser step.
    public var learnBatchSize = 16
    /// The number of passes over the rollouts of a step.
    public var epochs = 4
    /// How responses are sampled.
    public var sampling = SamplingOptions(maxNewTokens: 48)
    /// The weight β of the KL penalty.
    public var klCoefficient = 0.05
    /// The KL estimator.
    public var klEstimator = KLEstimator.k2
    /// Whether the KL is part of the reward of every token. Otherwise it is part of the loss.
    public var klAsReward = true
    /// The target of an adaptive KL weight: the mean KL of a response (Ziegler et al. 2019); nil keeps the weight fixed.
    public var klTarget: Double?
    /// The horizon of the KL controller, in rollouts.
    public var klHorizon = 10_000.0
    /// The discount factor γ.
    public var discount = 1.0
    /// λ of generalised advantage estimation.
    public var lambda = 0.95
    /// The divisor of GRPO's advantages.
    public var rewardScaling = RewardScaling.group
    /// Replaces the scores of the responses to a prompt before learning; nil for none.
    public var groupReward: GroupReward?
    /// The probability ratio is clipped to 1 ± this number; nil disables clipping.
    public var policyClip: Double? = 0.2
    /// The upper clipping bound of the ratio is 1 + this number (DAPO's clip-higher); nil uses ``policyClip``.
    public var policyClipHigh: Double?
    /// An upper bound on the ratio of tokens with a negative advantage (dual-clip); nil for none.
    public var dualClip: Double?
    /// The policy loss of a token. Default: ``PolicySurrogate/clipped``, or ``PolicySurrogate/gradient`` if ``policyClip`` is
    /// nil.
    public var surrogate: PolicySurrogate?
    /// The level of probability ratios.
    public var ratio = RatioLevel.token
    /// How the losses of tokens are aggregated.
    public var aggregation = LossAggregation.tokens
    /// Whether a KL in the loss is corrected by the ratio: ``PolicyLoss/KLTerm/isCorrected``.
    public var correctsKL = false
    /// Whether responses without an end-of-sequence token are left out of the loss.
    public var masksTruncated = false
    /// Values are clipped to their old value ± this number; nil disables clipping.
    public var valueClip: Double? = 0.2
    /// The weight of the value loss.
    public var valueCost = 0.1
    /// The weight of the entropy bonus.
    public var entropyCost = 0.0
    /// The target entropy of a token for an adaptive entropy bonus, in nats; nil keeps the weight fixed. See
    /// ``EntropyController``.
    public var entropyTarget: Double?
    /// The change of the entropy bonus's weight per optimiser step, with a target.
    public var entropyStep = 0.005
    /// The maximum weight of the entropy bonus, with a target.
    public var entropyLimit = 1.0
    /// Whether advantages and returns are corrected by min(1, p_learner / p_behaviour), recomputed in every optimiser step.
    public var correctsImportance = false
    /// Whether the advantages of an optimiser step are normalised to mean 0 and standard deviation 1.
    public var normalisesAdvantages = true
    /// Whether the mean and standard deviation for the normalisation are those of the whole run so far.
    public var normalisesOverRun = false
    /// The maximum number of responses that are sampled at the same time. Fewer need less memory for keys and values.
    public var maxActiveResponses = Generator.defaultMaxActive
    /// The number of rollout batches in `rolloutBatchSize`. The responses of a rollout batch share a width where responses are
    /// padded.
    public var rolloutBatches = 1
    /// The number of learn batches in `learnBatchSize`, for ``PPOCompatibility/Accumulation``.
    public var learnBatches = 1
    /// The parts of the arithmetic that follow the original code.
    public var compatibility = PPOCompatibility.sane
    /// A factor on the score.
    public var rewardScale = 1.0
    /// Every token's reward (score and KL) is clipped to ± this number; nil disables clipping.
    public var rewardClip: Double?
    /// The score of a response without an end-of-sequence token, in place of its reward; nil keeps the reward.
    public var missingEndScore: Double?
    /// A length penalty: −coefficient · (length / maxNewTokens)^power is added to the score. nil for none.
    public var lengthPenalty: LengthPenalty?
    /// The number of final tokens, before `maxNewTokens`, in which a length penalty grows linearly from 0 to ``overlongPenalty``
    /// (DAPO's soft overlong punishment); nil for none.
    public var overlongBuffer: Int?
    /// The penalty of ``overlongBuffer`` for a response of `maxNewTokens` tokens.
    public var overlongPenalty = 1.0
    /// A bonus on the score of a response with an end-of-sequence token.
    public var endBonus = 0.0
    /// The parameters that are frozen.
    public var freezing = Freezing()
    /// Whether the model is evaluated before the first step.
    public var evaluatesAtStart = true
    /// The number of log lines between two tables of rollouts; nil for no tables.
    public var tableLogs: Int? = 10
    /// The number of prompts of an evaluation that are scored together, for rewards that depend on the width of a batch; nil for
    /// all.
    public var evaluationBatchSize: Int?

    /// The divisor of the advantages of a group of responses.
    public enum RewardScaling: String, Sendable, CaseIterable {
        /// The standard deviation of the group's rewards.
        case group
        /// The standard deviation of all rewards of the step.
        case batch
        /// No division (Dr. GRPO).
        case none
    }

    /// A penalty that grows with a response's length.
    public struct LengthPenalty: Codable, Sendable, Equatable {
        /// The penalty of a response of `maxNewTokens` tokens.
        public var coefficient: Double
        /// The exponent of the relative length.
        public var power: Double

        /// A penalty. Default: the paper's values.
        public init(coefficient: Double = 0.1, power: Double = 5) { (self.coefficient, self.power) = (coefficient, power) }
    }

    /// The settings of PPO: the values of the paper's code, without its errors.
    public init() {
        (steps.optimizer, steps.schedule) = (AdamConfig(learningRate: 1e-4, clipNorm: nil), Schedule(.linear))
        (steps.logSteps, steps.seed) = (5, 600)
    }

    /// The published settings of a method.
    public init(_ method: AdvantageEstimator) {
        self.init()
        advantages = method
        method.configure(&self)
    }

    /// Checks the range of every setting, and that the method supports it.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try steps.validate()
        try Settings.require(totalSteps > 0, "the number of steps", totalSteps, "it must be above 0")
        try Settings.require(rolloutBatchSize > 0, "the rollout batch size", rolloutBatchSize, "it must be above 0")
        try Settings.require(
            maxActiveResponses > 0, "the maximum number of responses sampled at once", maxActiveResponses, "it must be above 0")
        try Settings.require(
            generations >= advantages.fewestGenerations && generations > 0, "the number of generations", generations,
            "\(advantages.name) needs \(max(1, advantages.fewestGenerations)) or more responses per prompt")
        try Settings.require(
            learnBatchSize > 0 && rollouts % learnBatchSize == 0, "the learn batch size", learnBatchSize,
            generations == 1
                ? "it must divide the rollout batch size \(rolloutBatchSize)"
                : "it must divide the \(Counted(rollouts, "response")) of a step "
                    + "(\(Counted(rolloutBatchSize, "prompt")) with \(Counted(generations, "response")) each)"
        )
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
            sampling.temperature > 0, "the temperature", sampling.temperature, "it must be above 0, because PPO samples its responses")
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
                "it must be in 1...\(sampling.maxNewTokens), the maximum number of new tokens")
        }
        try Settings.require(overlongPenalty >= 0, "the overlong penalty", overlongPenalty, "it must not be negative")
        try Settings.require(extraBatches >= 0, "the number of extra batches", extraBatches, "it must not be negative")
        try Settings.require(
            extraBatches == 0 || generations > 1, "the number of extra batches", extraBatches,
            "it needs 2 or more responses per prompt")
        try Settings.require(
            groupReward == nil || generations > 1, "the number of generations", generations,
            "a group reward needs 2 or more responses per prompt")
        if let dualClip {
            let high = 1 + (policyClipHigh ?? policyClip ?? 0)
            try Settings.require(
                dualClip > high, "the dual clip", dualClip, "it must be above the upper clip bound of the ratio, \(high)")
        }
        for (name, value) in [("the entropy step", entropyStep), ("the maximum entropy weight", entropyLimit)] {
            try Settings.require(value >= 0 && value.isFinite, name, value, "it must not be negative")
        }
        guard compatibility != .sane || correctsImportance else { return }
        try Settings.require(
            advantages.usesValues, "the advantage estimator", advantages.name,
            correctsImportance
                ? "the importance correction supports only gae and vtrace" : "the original arithmetic supports only gae and vtrace")
        try Settings.require(
            compatibility == .sane || (generations == 1 && !masksTruncated), "the number of generations", generations,
            "the original arithmetic supports only one response per prompt, and no masking of truncated responses")
    }

    /// The number of responses per step.
    public var rollouts: Int { rolloutBatchSize * generations }

    /// The number of optimiser steps of a whole run.
    var optimizerSteps: Int { totalSteps * epochs * (rollouts / learnBatchSize) }

    /// The loss of the policy, including the KL if it is not part of the reward.
    /// - Parameter klCoefficient: the weight of the KL; nil without a reference.
    func policyLoss(klCoefficient: Double?) -> PolicyLoss {
        var loss = PolicyLoss()
        loss.surrogate = surrogate ?? (policyClip == nil ? .gradient : .clipped)
        (loss.ratio, loss.aggregation) = (ratio, aggregation)
        loss.clip = PolicyClip(low: policyClip ?? .infinity, high: policyClipHigh, dual: dualClip)
        if !klAsReward, let klCoefficient { loss.kl = .init(klEstimator, weight: klCoefficient, isCorrected: correctsKL) }
        return loss
    }
}
