public import ArgumentParser
public import Study

/// What each token is rewarded with: the score of its response, with bonuses and penalties, and the KL.
public struct PPORewardOptions: SettingsOptions {
    public typealias Values = PPORewardSettings

    @Option(help: "Weight of the KL penalty. It is the initial weight if the weight adapts.")
    public var initKlCoef = Self.defaults.initKlCoef
    @Option(
        help: """
            KL estimator of a token: 1, 2 or 3. With d = log π_ref − log π they are 1 (−d), 2 (d²/2) and 3 (eᵈ − 1 − d). Default: 3 for \
            grpo, 1 for other methods without a value head, otherwise 2.
            """)
    public var klApprox: Int?
    @Option(help: .yesNo("Make the KL part of every token's reward. Otherwise it is part of the loss. Default: true, but false for grpo."))
    public var klReward: Bool?
    @Option(
        help: .yesNo(
            """
            Measure the KL to the reference model. Without it, which requires --init-kl-coef 0, no reference model is loaded.
            """))
    public var trackKl = Self.defaults.trackKl
    @Option(help: .yesNo("Adapt the KL weight to reach a KL of --target."))
    public var adapKlCtrl = Self.defaults.adapKlCtrl
    @Option(help: "Target of an adaptive KL weight. It is the mean KL per response, in nats.")
    public var target = Self.defaults.target
    @Option(
        help: """
            Horizon of an adaptive KL weight, in rollouts. It is the number of rollouts over which the weight corrects a deviation from \
            its target.
            """)
    public var horizon = Self.defaults.horizon
    @Option(help: "Factor on the reward model's score.")
    public var rewardScale = Self.defaults.rewardScale
    @Option(help: "Token rewards are clipped to ± this number. Default: no clipping.")
    public var rewardClip: Double?
    @Option(
        help: """
            Score of a response without an end. It replaces the reward of a response without an end-of-sequence token. Default: none; such \
            a response keeps its reward.
            """)
    public var missingEosScore: Double?
    @Option(help: .yesNo("Penalise long responses."))
    public var lengthPenalty = Self.defaults.lengthPenalty
    @Option(help: "Maximum of --length-penalty. It is the penalty of a response of --max-new-tokens tokens.")
    public var lengthPenaltyCoef = Self.defaults.lengthPenaltyCoef
    @Option(help: "Exponent of --length-penalty. The penalty grows with this power of the length.")
    public var lengthPenaltyPower = Self.defaults.lengthPenaltyPower
    @Option(
        help: """
            Final tokens with a growing penalty (DAPO). In the last tokens before --max-new-tokens, a length penalty grows linearly from 0 \
            to --overlong-penalty. Default: no such penalty.
            """)
    public var overlongBuffer: Int?
    @Option(help: "Maximum of the --overlong-buffer penalty. It is the penalty of a response of --max-new-tokens tokens.")
    public var overlongPenalty = Self.defaults.overlongPenalty
    @Option(help: .yesNo("Give a bonus for an end-of-sequence token."))
    public var eosReward = Self.defaults.eosReward
    @Option(help: "Bonus of --eos-reward.")
    public var eosRewardCoef = Self.defaults.eosRewardCoef
    @Option(
        help: .yesNo(
            """
            Require an end-of-sequence token. A response without one scores minus --eos-required-penalty in place of its reward.
            """))
    public var eosRequired = Self.defaults.eosRequired
    @Option(help: "Penalty of --eos-required.")
    public var eosRequiredPenalty = Self.defaults.eosRequiredPenalty

    public init() {}

    /// Other names of options.
    public static let aliases = ["kl-coef": "init-kl-coef", "eos-required-coef": "eos-required-penalty"]
}
