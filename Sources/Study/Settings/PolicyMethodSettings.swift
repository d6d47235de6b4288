import Train

/// Which method of policy optimisation there is: how rewards of responses become advantages, and these a loss.
public struct PolicyMethodSettings: Settings {
    /// gae (PPO), vtrace, or without a value head rloo, grpo, reinforce, reinforce++ or remax. Each sets what it was published with.
    public var advantage: String?
    /// Responses to each prompt; 4 for rloo and grpo, else 1, unless given.
    public var numGenerations: Int?
    /// grpo: what advantages are divided by: group (the deviation of the group's rewards), batch (that of all) or none (Dr. GRPO).
    public var scaleRewards = "group"
    /// Further rollout batches of a step at most, drawn in place of prompts whose responses are all rewarded alike (DAPO).
    public var dynamicSampling = 0
    /// The policy's term: clip (of PPO), cispo, sapo or gradient (plain policy gradient); clip unless given.
    public var policyLoss: String?
    /// What probability ratios are of: token, sequence-mean (GSPO) or sequence-sum; sequence-sum for rloo, else token, unless given.
    public var ratio: String?
    /// How terms come together: tokens (mean over all tokens; DAPO), sequences (mean of means; GRPO), sequence-sums or constant (divided by full
    /// lengths; Dr. GRPO); sequences for rloo, else tokens, unless given.
    public var lossAggregation: String?
    /// The range of the ratio ends at 1 + this; as `appoClipPolicy` unless given (DAPO: 0.28).
    public var clipHigh: Double?
    /// Ratios of tokens with a negative advantage are clipped at this, too; not at all unless given.
    public var dualClip: Double?
    /// Whether responses that do not end by themselves are left out of the loss.
    public var maskTruncated = false
    /// Whether a KL in the loss is multiplied by the ratio, which keeps it unbiased when the policy has moved.
    public var klCorrection = false
    /// The entropy of a token, in nats, below which an entropy bonus grows, and above which there is none; `entropyCost` alone counts unless given.
    public var entropyTarget: Double?
    /// What the weight of that bonus moves by in an optimiser step.
    public var entropyStep = 0.005
    /// The greatest weight of that bonus.
    public var entropyLimit = 1.0

    /// The defaults.
    public init() {}

    /// The method, if one is named.
    var method: AdvantageEstimator? {
        advantage.flatMap { word in AdvantageEstimator.builtIn.first { $0.name == SettingName.canonical(word) } }
    }

    public func validate() throws {
        try choose(advantage, "--advantage", AdvantageEstimator.builtIn.map(\.name))
        try choose(scaleRewards, "--scale-rewards", PPOConfig.RewardScaling.allCases.map(\.rawValue))
        try choose(policyLoss, "--policy-loss", PolicySurrogate.builtIn.map(\.name))
        try choose(ratio, "--ratio", RatioLevel.allCases.map(\.rawValue))
        try choose(lossAggregation, "--loss-aggregation", LossAggregation.builtIn.map(\.name))
        guard dynamicSampling >= 0 else { throw InvalidSetting("--dynamic-sampling must not be negative; 0 draws no further prompts") }
        guard (1...1000).contains(numGenerations ?? 1) else {
            throw InvalidSetting("--num-generations is \(numGenerations ?? 1); it takes a number from 1 to 1000")
        }
        for (option, value) in [("--clip-high", clipHigh), ("--dual-clip", dualClip), ("--entropy-target", entropyTarget)] {
            guard let value, !(value > 0 && value.isFinite) else { continue }
            throw InvalidSetting("\(option) is \(value); it must be above 0")
        }
        for (option, value) in [("--entropy-step", entropyStep), ("--entropy-limit", entropyLimit)] where !(value >= 0 && value.isFinite) {
            throw InvalidSetting("\(option) is \(value); it must not be negative")
        }
        guard scaleRewards == PolicyMethodSettings().scaleRewards || method?.name == "grpo" else {
            throw InvalidSetting("--scale-rewards belongs to --advantage grpo")
        }
    }

    private func choose(_ word: String?, _ option: String, _ words: [String]) throws {
        guard let word, !words.contains(SettingName.canonical(word)) else { return }
        let nearest = NearestName.find(SettingName.canonical(word), among: words).map { "; did you mean \($0)?" } ?? ""
        throw InvalidSetting("\(option) is '\(word)'; it takes \(words.joined(separator: ", "))\(nearest)")
    }

    /// Sets what is given.
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
