import Models
import Tensor
import Train

/// Settings of the advantages and the PPO losses.
public struct PPOSettings: Settings {
    /// γ, the discount factor of rewards. Default: 1; 0.999 with `referenceCompatible`, as in the original code.
    public var discounting: Double?
    /// λ of generalised advantage estimation.
    public var lam = 0.95
    /// Whether advantages follow GAE. Otherwise V-trace: the token's reward plus the discounted return after it, minus its value.
    public var useGaeLambdaAdvantages = true
    /// Whether advantages and returns are corrected by the ratio of the learner's and the sampler's probabilities.
    public var importanceSamplingCorrection = false
    /// Whether advantages are normalised to mean 0 and standard deviation 1. Default: true for gae, vtrace and reinforce++.
    public var normalizeAdvantages: Bool?
    /// Whether the mean and standard deviation for the normalisation are those of the whole run so far.
    public var useGlobalAdvantageNorm = false
    /// The probability ratio is clipped to 1 ± this number; 0 disables clipping.
    public var appoClipPolicy: Double = 0.2
    /// Values are clipped to their old value ± this number; 0 disables clipping.
    public var appoClipBaseline: Double = 0.2
    /// The weight of the value loss.
    public var baselineCost = 0.1
    /// The weight of the entropy bonus.
    public var entropyCost = 0.0
    /// A new value head subtracts this number from its values.
    public var valueNormalisation: Float = 0
    /// A new value head divides its shifted values by this number.
    public var valueNormalisationStd: Float = 1

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        try RewardHeadSettings.checkDivisor(valueNormalisationStd)
        for (name, value) in [("--appo-clip-policy", appoClipPolicy), ("--appo-clip-baseline", appoClipBaseline)] where !(value >= 0) {
            throw InvalidSetting("\(name) is \(value); it must not be negative; 0 disables clipping")
        }
    }

    /// The discount factor: the option, or its default.
    package func discount(reference: Bool) -> Double { discounting ?? (reference ? 0.999 : 1) }

    /// A new value head with the normalisation of these settings.
    func freshHead(width: Int, using random: inout Philox, usesTanh: Bool) -> ValueHead {
        let head = ValueHead(width: width, using: &random, usesTanh: usesTanh)
        guard valueNormalisation != 0 || valueNormalisationStd != 1 else { return head }
        return ValueHead(
            weight: head.weight.value, bias: 0, normalisation: valueNormalisation,
            normalisationStd: valueNormalisationStd,
            usesTanh: usesTanh, isFresh: true)
    }
}
