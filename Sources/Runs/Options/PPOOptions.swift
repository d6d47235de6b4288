public import ArgumentParser
import Models
import Tensor
import Train

/// What each token is rewarded with: the score of its response, with bonuses and penalties, and the KL.
public struct PPORewardOptions: ProgramOptions {
    @Option(help: "The weight of the KL penalty, at the start where it adapts.")
    public var initKlCoef = 0.05
    @Option(help: "The KL estimate: 1 (−d), 2 (d²/2) or 3 (eᵈ − 1 − d).")
    public var klApprox = 2
    @Option(help: .yesNo("Whether the KL is part of every token's reward (else of the loss)."))
    public var klReward = true
    @Option(help: .yesNo("Whether the weight adapts, so that the KL comes to --target."))
    public var adapKlCtrl = false
    @Option(help: "The mean KL of a response that an adaptive weight aims at.")
    public var target = 6.0
    @Option(help: "Rollouts over which an adaptive weight corrects itself.")
    public var horizon = 10_000.0
    @Option(help: "Multiplies the reward model's score.")
    public var rewardScale = 1.0
    @Option(help: "Tokens' rewards are clipped to ± this; not at all unless given.")
    public var rewardClip: Double?
    @Option(help: "Replaces the score of a response that does not end by itself.")
    public var missingEosScore: Double?
    @Option(help: .yesNo("Whether long responses lose some of their score."))
    public var lengthPenalty = false
    @Option(help: "The most that --length-penalty takes off.")
    public var lengthPenaltyCoef = 0.1
    @Option(help: "How steeply --length-penalty grows with the length.")
    public var lengthPenaltyPower = 5.0
    @Option(help: .yesNo("Whether a response that ends by itself gets a bonus."))
    public var eosReward = false
    @Option(help: "The bonus of --eos-reward.")
    public var eosRewardCoef = 0.1
    @Option(
        help: .yesNo(
            "Whether a response that does not end by itself scores minus --eos-required-penalty, whatever else it is worth."
        ))
    public var eosRequired = false
    @Option(help: "What a response without an end loses, with --eos-required.")
    public var eosRequiredPenalty = 0.0

    public init() {}

    /// Other names of options.
    public static let aliases = ["kl-coef": "init-kl-coef", "eos-required-coef": "eos-required-penalty"]

    public func validate() throws {
        guard PPOConfig.KLEstimator(rawValue: klApprox) != nil else {
            throw ValidationError("--kl-approx is \(klApprox); it takes 1, 2 or 3")
        }
    }
}

/// How rewards become advantages, and advantages losses.
public struct PPOOptions: ProgramOptions {
    @Option(help: "γ, the discount of later rewards; 1 unless given (the original: 0.999).")
    public var discounting: Double?
    @Option(help: "λ of the advantage estimate.")
    public var lam = 0.95
    @Option(
        help: .yesNo("Whether advantages follow GAE (else V-trace: reward and return behind a token, minus its value).")
    )
    public var useGaeLambdaAdvantages = true
    @Option(
        help: .yesNo(
            "Whether advantages and returns are corrected by the ratio of the learner's and the sampler's probabilities."
        ))
    public var importanceSamplingCorrection = false
    @Option(help: .yesNo("Whether advantages are given mean 0 and deviation 1."))
    public var normalizeAdvantages = true
    @Option(help: .yesNo("Whether mean and deviation of advantages are those of the whole run so far."))
    public var useGlobalAdvantageNorm = false
    @Option(help: "The policy ratio is clipped to 1 ± this; not at all if 0 or none.")
    public var appoClipPolicy: Double = 0.2
    @Option(help: "Values are clipped to their old value ± this; not at all if 0 or none.")
    public var appoClipBaseline: Double = 0.2
    @Option(help: "The weight of the value loss.")
    public var baselineCost = 0.1
    @Option(help: "The weight of the entropy bonus.")
    public var entropyCost = 0.0
    @Option(help: "A fresh value head's values are shifted by this.")
    public var valueNormalisation: Float = 0
    @Option(help: "A fresh value head's shifted values are divided by this.")
    public var valueNormalisationStd: Float = 1

    public init() {}

    /// Other names of options.
    public static let aliases = ["normalise-advantages": "normalize-advantages"]
    /// What `none` means where an option always has a value.
    public static let valuesOfNone = ["appo-clip-policy": "0", "appo-clip-baseline": "0"]

    /// The discount of later rewards, by the option or the switch.
    package func discount(reference: Bool) -> Double { discounting ?? (reference ? 0.999 : 1) }

    /// A new value head as the options describe it.
    func freshHead(width: Int, using random: inout Philox, usesTanh: Bool) -> ValueHead {
        let head = ValueHead(width: width, using: &random, usesTanh: usesTanh)
        guard valueNormalisation != 0 || valueNormalisationStd != 1 else { return head }
        return ValueHead(
            weight: head.weight.value, bias: 0, normalisation: valueNormalisation,
            normalisationStd: valueNormalisationStd,
            usesTanh: usesTanh, isFresh: true)
    }
}
