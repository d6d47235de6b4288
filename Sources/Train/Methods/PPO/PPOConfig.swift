public import Models

/// The settings of PPO (Schulman et al. 2017) on a language model, with the paper's names beside ours in Docs/porting.md.
public struct PPOConfig: Codable, Sendable, Equatable {
    /// How the difference d = log p_reference − log p_policy of a sampled token becomes a KL estimate (Schulman 2020).
    public enum KLEstimator: Int, Codable, Sendable, CaseIterable {
        /// −d: unbiased, may be negative.
        case k1 = 1
        /// d²/2: biased, small variance. The paper's choice.
        case k2 = 2
        /// eᵈ − 1 − d: unbiased, never negative.
        case k3 = 3
    }

    /// Rollouts followed by learning.
    public var totalSteps: Int
    /// Prompts of one step.
    public var rolloutBatchSize: Int
    /// Rollouts of one optimiser step.
    public var learnBatchSize: Int
    /// Passes over the rollouts of a step.
    public var epochs: Int
    /// The most tokens in memory at once; it changes memory, not results.
    public var tokensPerPass: Int
    /// Whether the backward pass runs trained layers again instead of keeping their intermediate results: less memory, a second
    /// forward pass through them, the same weights.
    public var recomputesLayers: Bool
    /// How responses are drawn.
    public var sampling: SamplingOptions
    /// What divides the logits that log-probabilities are taken from.
    public var temperature: Float { compatibility.ignoresTemperature ? 1 : sampling.temperature }
    /// The weight of the KL penalty.
    public var klCoefficient: Double
    /// The estimate of the KL.
    public var klEstimator: KLEstimator
    /// Whether the KL is part of the reward of every token (else of the loss).
    public var klAsReward: Bool
    /// When set, the coefficient moves towards this mean KL of a response (Ziegler et al. 2019).
    public var klTarget: Double?
    /// The controller's horizon in rollouts.
    public var klHorizon: Double
    /// γ
    public var discount: Double
    /// λ of generalised advantage estimation.
    public var lambda: Double
    /// The policy ratio is clipped to 1 ± this; nil leaves it.
    public var policyClip: Double?
    /// The value is clipped to its old value ± this; nil leaves it.
    public var valueClip: Double?
    /// The weight of the value loss.
    public var valueCost: Double
    /// The weight of the entropy bonus.
    public var entropyCost: Double
    /// Whether advantages follow the recursion of GAE (else V-trace: reward and discounted return behind it, minus the value).
    public var usesGAE: Bool
    /// Whether advantages and returns are corrected by min(1, p_learner / p_behaviour), anew in every optimiser step.
    public var correctsImportance: Bool
    /// Whether the advantages of an optimiser step are given mean 0 and deviation 1.
    public var normalisesAdvantages: Bool
    /// Whether mean and deviation are those of all advantages of the run so far.
    public var normalisesOverRun: Bool
    /// Rollout batches that `rolloutBatchSize` consists of; they share a width where responses are padded.
    public var rolloutBatches: Int
    /// Learn batches that `learnBatchSize` consists of, for ``PPOCompatibility/Accumulation``.
    public var learnBatches: Int
    /// Where the original's arithmetic changes numbers.
    public var compatibility: PPOCompatibility
    /// Multiplies the score.
    public var rewardScale: Double
    /// Every token's reward (score and KL) is clipped to ± this; nil leaves it.
    public var rewardClip: Double?
    /// Replaces the score of a response that did not end by itself; nil leaves it.
    public var missingEndScore: Double?
    /// −coefficient · (length / maxNewTokens)^power is added to the score.
    public var lengthPenalty: LengthPenalty?
    /// Added to the score of a response that ends by itself.
    public var endBonus: Double
    /// The optimiser.
    public var optimizer: AdamConfig
    /// The learning rate's course.
    public var schedule: Schedule
    /// What stays as it is.
    public var freezing: Freezing
    /// Steps between two lines of metrics.
    public var logSteps: Int
    /// Whether the model is evaluated before the first step.
    public var evaluatesAtStart: Bool
    /// Every so many log lines, the last rollouts become rows of a table; nil for never.
    public var tableLogs: Int?
    /// Steps between two evaluations; nil evaluates at the start and the end only.
    public var evaluationSteps: Int?
    /// Steps between two checkpoints; nil leaves them to the caller.
    public var checkpointSteps: Int?
    /// Decides the order of the prompts and what is sampled.
    public var seed: UInt64
    /// How many batches with numbers that are not finite are passed over, without a change of the weights, before the run stops.
    public var skippedBatches = 0
    /// Prompts of an evaluation that are rewarded together, for rewards that depend on the width of a batch; nil for all of them.
    public var evaluationBatchSize: Int?

    /// A penalty that grows with a response's length.
    public struct LengthPenalty: Codable, Sendable, Equatable {
        /// The most that a response loses, at full length.
        public var coefficient: Double
        /// How steeply the loss grows.
        public var power: Double
        /// A penalty; see the properties.
        public init(coefficient: Double = 0.1, power: Double = 5) {
            self.coefficient = coefficient
            self.power = power
        }
    }

    /// Settings; what is left out has the value of the paper's code or, where that is a bug, the sane value.
    public init(
        totalSteps: Int = 500, rolloutBatchSize: Int = 16, learnBatchSize: Int = 16, epochs: Int = 4,
        tokensPerPass: Int = 1024, sampling: SamplingOptions = SamplingOptions(maxNewTokens: 48),
        klCoefficient: Double = 0.05, klEstimator: KLEstimator = .k2, klAsReward: Bool = true, klTarget: Double? = nil,
        klHorizon: Double = 10_000, discount: Double = 1, lambda: Double = 0.95, policyClip: Double? = 0.2,
        valueClip: Double? = 0.2, valueCost: Double = 0.1, entropyCost: Double = 0, usesGAE: Bool = true,
        correctsImportance: Bool = false, normalisesAdvantages: Bool = true, normalisesOverRun: Bool = false,
        rolloutBatches: Int = 1, learnBatches: Int = 1, compatibility: PPOCompatibility = .sane,
        rewardScale: Double = 1, rewardClip: Double? = nil, missingEndScore: Double? = nil,
        lengthPenalty: LengthPenalty? = nil, endBonus: Double = 0,
        optimizer: AdamConfig = AdamConfig(learningRate: 1e-4, clipNorm: nil), schedule: Schedule = Schedule(.linear),
        freezing: Freezing = Freezing(), logSteps: Int = 5, evaluatesAtStart: Bool = true,
        tableLogs: Int? = 10, evaluationSteps: Int? = nil, checkpointSteps: Int? = nil,
        seed: UInt64 = 600, recomputesLayers: Bool = false
    ) {
        self.totalSteps = totalSteps
        self.rolloutBatchSize = rolloutBatchSize
        self.learnBatchSize = learnBatchSize
        self.epochs = epochs
        self.tokensPerPass = tokensPerPass
        self.sampling = sampling
        self.klCoefficient = klCoefficient
        self.klEstimator = klEstimator
        self.klAsReward = klAsReward
        self.klTarget = klTarget
        self.klHorizon = klHorizon
        self.discount = discount
        self.lambda = lambda
        self.policyClip = policyClip
        self.valueClip = valueClip
        self.valueCost = valueCost
        self.entropyCost = entropyCost
        self.usesGAE = usesGAE
        self.correctsImportance = correctsImportance
        self.normalisesAdvantages = normalisesAdvantages
        self.normalisesOverRun = normalisesOverRun
        self.rolloutBatches = rolloutBatches
        self.learnBatches = learnBatches
        self.compatibility = compatibility
        self.rewardScale = rewardScale
        self.rewardClip = rewardClip
        self.missingEndScore = missingEndScore
        self.lengthPenalty = lengthPenalty
        self.endBonus = endBonus
        self.optimizer = optimizer
        self.schedule = schedule
        self.freezing = freezing
        self.logSteps = logSteps
        self.evaluatesAtStart = evaluatesAtStart
        self.tableLogs = tableLogs
        self.evaluationSteps = evaluationSteps
        self.checkpointSteps = checkpointSteps
        self.seed = seed
        self.recomputesLayers = recomputesLayers
    }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try optimizer.validate()
        try Settings.require(schedule)
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
        try Settings.require(
            tableLogs.map { $0 > 0 } ?? true, "the table interval", tableLogs ?? 0, "it must be above 0")
        try Settings.require(epochs > 0, "the number of PPO epochs", epochs, "it must be above 0")
        try Settings.require(tokensPerPass > 0, "the tokens of a pass", tokensPerPass, "they must be above 0")
        try Settings.require(
            sampling.maxNewTokens > 0, "the number of new tokens", sampling.maxNewTokens, "it must be above 0")
        try Settings.require(
            sampling.temperature > 0, "the temperature", sampling.temperature, "PPO samples: it must be above 0")
        try Settings.require(klCoefficient >= 0, "the KL coefficient", klCoefficient, "it must not be negative")
        try Settings.require((0...1).contains(discount), "the discount", discount, "it must be in 0...1")
        try Settings.require((0...1).contains(lambda), "lambda", lambda, "it must be in 0...1")
        try Settings.require(
            (0...1).contains(freezing.fraction), "the frozen share", freezing.fraction, "it must be in 0...1")
        for (name, bound) in [
            ("the policy clipping", policyClip), ("the value clipping", valueClip), ("the reward clipping", rewardClip),
            ("the KL target", klTarget), ("the KL horizon", klHorizon),
        ] {
            guard let bound else { continue }
            try Settings.require(bound > 0, name, bound, "it must be above 0")
        }
        try Settings.require(skippedBatches >= 0, "the number of bad batches", skippedBatches, "it must not be negative")
        try Settings.requireIntervals(log: logSteps, evaluation: evaluationSteps, checkpoint: checkpointSteps)
    }
}
