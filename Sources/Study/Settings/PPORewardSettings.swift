import Models
import Tensor
import Train

/// Settings of token rewards: the response's score with bonuses and penalties, and the KL penalty.
public struct PPORewardSettings: Settings {
    /// The weight β of the KL penalty; its initial value if it is adaptive.
    public var initKlCoef = 0.05
    /// The KL estimator of a token, with d = log π_ref − log π: 1 (−d), 2 (d²/2) or 3 (eᵈ − 1 − d). Default: 3 for grpo, 1 for
    /// other methods without a value head, otherwise 2.
    public var klApprox: Int?
    /// Whether the KL is part of every token's reward; otherwise it is part of the loss. Default: true, but false for grpo.
    public var klReward: Bool?
    /// Whether the KL to the reference model is measured. Without it, which requires a KL weight of 0, no reference model is
    /// loaded.
    public var trackKl = true
    /// Whether the KL weight adapts so that the KL approaches `target`.
    public var adapKlCtrl = false
    /// The target of an adaptive KL weight: the mean KL per response, in nats.
    public var target = 6.0
    /// The number of rollouts over which an adaptive weight corrects a deviation from its target.
    public var horizon = 10_000.0
    /// A factor on the reward model's score.
    public var rewardScale = 1.0
    /// Token rewards are clipped to ± this number. Default: no clipping.
    public var rewardClip: Double?
    /// The score of a response without an end-of-sequence token, in place of its reward. Default: none; such a response keeps its
    /// reward.
    public var missingEosScore: Double?
    /// Whether long responses get a penalty.
    public var lengthPenalty = false
    /// The penalty of `lengthPenalty` for a response of `maxNewTokens` tokens.
    public var lengthPenaltyCoef = 0.1
    /// The exponent of `lengthPenalty`: the penalty grows with this power of the length.
    public var lengthPenaltyPower = 5.0
    /// The number of final tokens, before `maxNewTokens`, in which a length penalty grows linearly from 0 to `overlongPenalty`
    /// (DAPO). Default: no such penalty.
    public var overlongBuffer: Int?
    /// The penalty of `overlongBuffer` for a response of `maxNewTokens` tokens.
    public var overlongPenalty = 1.0
    /// Whether a response with an end-of-sequence token gets a bonus.
    public var eosReward = false
    /// The bonus of `eosReward`.
    public var eosRewardCoef = 0.1
    /// Whether a response without an end-of-sequence token scores minus `eosRequiredPenalty` in place of its reward.
    public var eosRequired = false
    /// The penalty of `eosRequired`.
    public var eosRequiredPenalty = 0.0

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        if let klApprox, PPOConfig.KLEstimator(rawValue: klApprox) == nil {
            throw InvalidSetting("--kl-approx is \(klApprox); expected 1, 2 or 3")
        }
        guard trackKl || (initKlCoef == 0 && !adapKlCtrl) else {
            throw InvalidSetting("--track-kl no needs --init-kl-coef 0 and no --adap-kl-ctrl, because no KL is measured")
        }
        guard overlongBuffer ?? 1 > 0 else { throw InvalidSetting("--overlong-buffer must be above 0") }
        guard overlongPenalty >= 0 else { throw InvalidSetting("--overlong-penalty is \(overlongPenalty); it must not be negative") }
        for (name, value) in [
            ("--init-kl-coef", initKlCoef), ("--target", target), ("--horizon", horizon), ("--reward-scale", rewardScale),
            ("--missing-eos-score", missingEosScore ?? 0), ("--length-penalty-coef", lengthPenaltyCoef),
            ("--length-penalty-power", lengthPenaltyPower), ("--eos-reward-coef", eosRewardCoef),
            ("--eos-required-penalty", eosRequiredPenalty), ("--overlong-penalty", overlongPenalty),
        ] where abs(value) > 1e30 || value.isNaN {
            throw InvalidSetting("\(name) is \(value); expected a number from -1e30 to 1e30")
        }
    }
}
