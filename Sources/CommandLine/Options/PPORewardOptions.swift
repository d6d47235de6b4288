public import ArgumentParser
public import Study

/// What each token is rewarded with: the score of its response, with bonuses and penalties, and the KL.
public struct PPORewardOptions: SettingsOptions {
    public typealias Values = PPORewardSettings

    @Option(help: "The weight of the KL penalty, at the start where it adapts.")
    public var initKlCoef = Self.defaults.initKlCoef
    @Option(
        help: """
            The KL estimate: 1 (−d), 2 (d²/2) or 3 (eᵈ − 1 − d); 3 for grpo, 1 for other methods without a value head, else 2, unless given.
            """)
    public var klApprox: Int?
    @Option(help: .yesNo("Whether the KL is part of every token's reward (else of the loss); yes unless given, no for grpo."))
    public var klReward: Bool?
    @Option(
        help: .yesNo(
            "Whether the KL to the reference is measured; without it, which needs --init-kl-coef 0, no reference model is in memory."))
    public var trackKl = Self.defaults.trackKl
    @Option(help: .yesNo("Whether the weight adapts, so that the KL comes to --target."))
    public var adapKlCtrl = Self.defaults.adapKlCtrl
    @Option(help: "The mean KL of a response that an adaptive weight aims at.")
    public var target = Self.defaults.target
    @Option(help: "Rollouts over which an adaptive weight corrects itself.")
    public var horizon = Self.defaults.horizon
    @Option(help: "Multiplies the reward model's score.")
    public var rewardScale = Self.defaults.rewardScale
    @Option(help: "Tokens' rewards are clipped to ± this; not at all unless given.")
    public var rewardClip: Double?
    @Option(help: "Replaces the score of a response that does not end by itself.")
    public var missingEosScore: Double?
    @Option(help: .yesNo("Whether long responses lose some of their score."))
    public var lengthPenalty = Self.defaults.lengthPenalty
    @Option(help: "The most that --length-penalty takes off.")
    public var lengthPenaltyCoef = Self.defaults.lengthPenaltyCoef
    @Option(help: "How steeply --length-penalty grows with the length.")
    public var lengthPenaltyPower = Self.defaults.lengthPenaltyPower
    @Option(
        help: """
            The last tokens that a response may have cost it up to --overlong-penalty, the more the nearer it comes to the full length (DAPO).
            """)
    public var overlongBuffer: Int?
    @Option(help: "What a response of full length loses with --overlong-buffer.")
    public var overlongPenalty = Self.defaults.overlongPenalty
    @Option(help: .yesNo("Whether a response that ends by itself gets a bonus."))
    public var eosReward = Self.defaults.eosReward
    @Option(help: "The bonus of --eos-reward.")
    public var eosRewardCoef = Self.defaults.eosRewardCoef
    @Option(
        help: .yesNo(
            "Whether a response that does not end by itself scores minus --eos-required-penalty, whatever else it is worth."
        ))
    public var eosRequired = Self.defaults.eosRequired
    @Option(help: "What a response without an end loses, with --eos-required.")
    public var eosRequiredPenalty = Self.defaults.eosRequiredPenalty

    public init() {}

    /// Other names of options.
    public static let aliases = ["kl-coef": "init-kl-coef", "eos-required-coef": "eos-required-penalty"]
}
