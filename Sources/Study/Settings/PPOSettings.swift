import Models
import Tensor
import Train

/// How rewards become advantages, and advantages losses.
public struct PPOSettings: Settings {
    /// γ, the discount of later rewards; 1 unless given (the original: 0.999).
    public var discounting: Double?
    /// λ of the advantage estimate.
    public var lam = 0.95
    /// Whether advantages follow GAE (else V-trace: reward and return behind a token, minus its value).
    public var useGaeLambdaAdvantages = true
    /// Whether advantages and returns are corrected by the ratio of the learner's and the sampler's probabilities.
    public var importanceSamplingCorrection = false
    /// Whether advantages are given mean 0 and deviation 1; yes for gae, vtrace and reinforce++ unless given.
    public var normalizeAdvantages: Bool?
    /// Whether mean and deviation of advantages are those of the whole run so far.
    public var useGlobalAdvantageNorm = false
    /// The policy ratio is clipped to 1 ± this; not at all if 0 or none.
    public var appoClipPolicy: Double = 0.2
    /// Values are clipped to their old value ± this; not at all if 0 or none.
    public var appoClipBaseline: Double = 0.2
    /// The weight of the value loss.
    public var baselineCost = 0.1
    /// The weight of the entropy bonus.
    public var entropyCost = 0.0
    /// A fresh value head's values are shifted by this.
    public var valueNormalisation: Float = 0
    /// A fresh value head's shifted values are divided by this.
    public var valueNormalisationStd: Float = 1

    /// The defaults.
    public init() {}

    public func validate() throws {
        try RewardHeadSettings.checkDivisor(valueNormalisationStd)
        for (name, value) in [("--appo-clip-policy", appoClipPolicy), ("--appo-clip-baseline", appoClipBaseline)] where !(value >= 0) {
            throw InvalidSetting("\(name) is \(value); it must not be negative, and 0 clips nothing")
        }
    }

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
