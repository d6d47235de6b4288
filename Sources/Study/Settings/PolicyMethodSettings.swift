import Train

/// Settings of the policy optimisation method: how the rewards of responses become advantages, and advantages a loss.
public struct PolicyMethodSettings: Settings {
    /// The method: gae (PPO), vtrace, or, without a value head, rloo, grpo, reinforce, reinforce++ or remax. Each sets its
    /// published defaults. Default: gae, or vtrace if `useGaeLambdaAdvantages` is false.
    public var advantage: String?
    /// The number of responses to each prompt. Default: 4 for rloo and grpo, otherwise 1.
    public var numGenerations: Int?
    /// grpo: the divisor of advantages: group (the standard deviation of the group's rewards), batch (that of all rewards) or
    /// none (Dr. GRPO).
    public var scaleRewards = "group"
    /// The maximum number of further rollout batches per step that replace prompts whose responses all have the same reward
    /// (DAPO).
    public var dynamicSampling = 0
    /// The policy loss: clip (PPO), cispo, sapo or gradient (plain policy gradient). Default: clip.
    public var policyLoss: String?
    /// The level of probability ratios: token, sequence-mean (GSPO) or sequence-sum. Default: sequence-sum for rloo, otherwise
    /// token.
    public var ratio: String?
    /// How token losses are aggregated: tokens (mean over all tokens; DAPO), sequences (mean of per-response means; GRPO),
    /// sequence-sums, or constant (sum divided by the full lengths; Dr. GRPO). Default: sequences for rloo, otherwise tokens.
    public var lossAggregation: String?
    /// The upper clipping bound of the ratio is 1 + this number (DAPO: 0.28). Default: `appoClipPolicy`.
    public var clipHigh: Double?
    /// An upper bound on the ratio of tokens with a negative advantage (dual-clip). Default: none.
    public var dualClip: Double?
    /// Whether responses without an end-of-sequence token are left out of the loss.
    public var maskTruncated = false
    /// Whether a KL in the loss is multiplied by the probability ratio, which keeps it unbiased after the policy has changed.
    public var klCorrection = false
    /// The target entropy of a token, in nats. Below it the weight of the entropy bonus grows; above it there is no bonus.
    /// Default: the weight is fixed at `entropyCost`.
    public var entropyTarget: Double?
    /// The change of that weight per optimiser step.
    public var entropyStep = 0.005
    /// The maximum of that weight.
    public var entropyLimit = 1.0

    /// The defaults.
    public init() {}

    /// The named method; nil if none is named.
    var method: AdvantageEstimator? {
        advantage.flatMap { word in AdvantageEstimator.builtIn.first { $0.name == SettingName.canonical(word) } }
    }

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        try choose(advantage, "--advantage", AdvantageEstimator.builtIn.map(\.name))
        try choose(scaleRewards, "--scale-rewards", PPOConfig.RewardScaling.allCases.map(\.rawValue))
        try choose(policyLoss, "--policy-loss", PolicySurrogate.builtIn.map(\.name))
        try choose(ratio, "--ratio", RatioLevel.allCases.map(\.rawValue))
        try choose(lossAggregation, "--loss-aggregation", LossAggregation.builtIn.map(\.name))
        guard dynamicSampling >= 0 else { throw InvalidSetting("--dynamic-sampling must not be negative; 0 samples no extra prompts") }
        guard (1...1000).contains(numGenerations ?? 1) else {
            throw InvalidSetting("--num-generations is \(numGenerations ?? 1); expected a number from 1 to 1000")
        }
        for (option, value) in [("--clip-high", clipHigh), ("--dual-clip", dualClip), ("--entropy-target", entropyTarget)] {
            guard let value, !(value > 0 && value.isFinite) else { continue }
            throw InvalidSetting("\(option) is \(value); it must be above 0")
        }
        for (option, value) in [("--entropy-step", entropyStep), ("--entropy-limit", entropyLimit)] where !(value >= 0 && value.isFinite) {
            throw InvalidSetting("\(option) is \(value); it must not be negative")
        }
        guard scaleRewards == PolicyMethodSettings().scaleRewards || method?.name == "grpo" else {
            throw InvalidSetting("--scale-rewards has no effect without --advantage grpo")
        }
    }

    private func choose(_ word: String?, _ option: String, _ words: [String]) throws {
        guard let word, !words.contains(SettingName.canonical(word)) else { return }
        let nearest = NearestName.find(SettingName.canonical(word), among: words).map { "; did you mean \($0)?" } ?? ""
        throw InvalidSetting("\(option) is '\(word)'; expected \(words.joined(separator: ", "))\(nearest)")
    }

    /// Applies the given options to a configuration.
    func apply(to config: inout PPOConfig) {
        func word(_ text: String?) -> String? { text.map(SettingName.canonical) }
        if let numGenerations { config.generations = numGenerations }
        config.rewardScaling = word(scaleRewards).flatMap(PPOConfig.RewardScaling.init) ?? config.rewardScaling
        config.extraBatches = dynamicSampling
        config.surrogate = PolicySurrogate.builtIn.first { $0.name == word(policyLoss) } ?? config.surrogate
        config.ratio = word(ratio).flatMap(RatioLevel.init) ?? config.ratio
        config.aggregation = LossAggregation.builtIn.first { $0.name == word(lossAggregation) } ?? config.aggregation
        (config.policyClipHigh, config.dualClip) = (clipHigh, dualClip)
        (config.masksTruncated, config.correctsKL) = (maskTruncated, klCorrection)
        (config.entropyTarget, config.entropyStep, config.entropyLimit) = (entropyTarget, entropyStep, entropyLimit)
    }
}
