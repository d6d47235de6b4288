import Models
import Tensor
import Train

/// What each token is rewarded with: the score of its response, with bonuses and penalties, and the KL.
public struct PPORewardSettings: Settings {
    /// The weight of the KL penalty, at the start where it adapts.
    public var initKlCoef = 0.05
    /// The KL estimate: 1 (−d), 2 (d²/2) or 3 (eᵈ − 1 − d); 3 for grpo, 1 for other methods without a value head, else 2, unless given.
    public var klApprox: Int?
    /// Whether the KL is part of every token's reward (else of the loss); yes unless given, no for grpo.
    public var klReward: Bool?
    /// Whether the KL to the reference is measured; without it, which needs a KL weight of 0, no reference model is in memory.
    public var trackKl = true
    /// Whether the weight adapts, so that the KL comes to `target`.
    public var adapKlCtrl = false
    /// The mean KL of a response that an adaptive weight aims at.
    public var target = 6.0
    /// Rollouts over which an adaptive weight corrects itself.
    public var horizon = 10_000.0
    /// Multiplies the reward model's score.
    public var rewardScale = 1.0
    /// Tokens' rewards are clipped to ± this; not at all unless given.
    public var rewardClip: Double?
    /// Replaces the score of a response that does not end by itself.
    public var missingEosScore: Double?
    /// Whether long responses lose some of their score.
    public var lengthPenalty = false
    /// The most that `lengthPenalty` takes off.
    public var lengthPenaltyCoef = 0.1
    /// How steeply `lengthPenalty` grows with the length.
    public var lengthPenaltyPower = 5.0
    /// The last tokens that a response may have cost it up to `overlongPenalty`, the more the nearer it comes to the full length (DAPO).
    public var overlongBuffer: Int?
    /// What a response of full length loses with `overlongBuffer`.
    public var overlongPenalty = 1.0
    /// Whether a response that ends by itself gets a bonus.
    public var eosReward = false
    /// The bonus of `eosReward`.
    public var eosRewardCoef = 0.1
    /// Whether a response that does not end by itself scores minus `eosRequiredPenalty`, whatever else it is worth.
    public var eosRequired = false
    /// What a response without an end loses, with `eosRequired`.
    public var eosRequiredPenalty = 0.0

    /// The defaults.
    public init() {}

    public func validate() throws {
        if let klApprox, PPOConfig.KLEstimator(rawValue: klApprox) == nil {
            throw InvalidSetting("--kl-approx is \(klApprox); it takes 1, 2 or 3")
        }
        guard trackKl || (initKlCoef == 0 && !adapKlCtrl) else {
            throw InvalidSetting("--track-kl no leaves no KL to weigh; give --init-kl-coef 0 with it, and no --adap-kl-ctrl")
        }
        guard overlongBuffer ?? 1 > 0 else { throw InvalidSetting("--overlong-buffer must be above 0") }
        guard overlongPenalty >= 0 else { throw InvalidSetting("--overlong-penalty is \(overlongPenalty); it takes a number from 0") }
        for (name, value) in [
            ("--init-kl-coef", initKlCoef), ("--target", target), ("--horizon", horizon), ("--reward-scale", rewardScale),
            ("--missing-eos-score", missingEosScore ?? 0), ("--length-penalty-coef", lengthPenaltyCoef),
            ("--length-penalty-power", lengthPenaltyPower), ("--eos-reward-coef", eosRewardCoef),
            ("--eos-required-penalty", eosRequiredPenalty), ("--overlong-penalty", overlongPenalty),
        ] where abs(value) > 1e30 || value.isNaN {
            throw InvalidSetting("\(name) is \(value); it takes a number of at most 1e30")
        }
    }
}
