public import ArgumentParser
public import Study

/// How rewards become advantages, and advantages losses.
public struct PPOOptions: SettingsOptions {
    public typealias Values = PPOSettings

    @Option(help: "γ, the discount factor of rewards. Default: 1; with --reference-compatible 0.999, as in the original.")
    public var discounting: Double?
    @Option(help: "λ of generalised advantage estimation.")
    public var lam = Self.defaults.lam
    @Option(
        help: .yesNo(
            """
            Compute advantages with GAE. Otherwise with V-trace: the token's reward plus the discounted return after it, minus its value.
            """))
    public var useGaeLambdaAdvantages = Self.defaults.useGaeLambdaAdvantages
    @Option(
        help: .yesNo(
            """
            Apply an importance-sampling correction. Advantages and returns are corrected by the ratio of the learner's and the sampler's \
            probabilities.
            """))
    public var importanceSamplingCorrection = Self.defaults.importanceSamplingCorrection
    @Option(help: .yesNo("Normalise advantages. They get mean 0 and standard deviation 1. Default: true for gae, vtrace and reinforce++."))
    public var normalizeAdvantages: Bool?
    @Option(help: .yesNo("Normalise advantages over the whole run so far."))
    public var useGlobalAdvantageNorm = Self.defaults.useGlobalAdvantageNorm
    @Option(help: "Clipping range of the probability ratio. It is clipped to 1 ± this number. 0 or none disables clipping.")
    public var appoClipPolicy = Self.defaults.appoClipPolicy
    @Option(help: "Clipping range of values. They are clipped to their old value ± this number. 0 or none disables clipping.")
    public var appoClipBaseline = Self.defaults.appoClipBaseline
    @Option(help: "Weight of the value loss.")
    public var baselineCost = Self.defaults.baselineCost
    @Option(help: "Weight of the entropy bonus.")
    public var entropyCost = Self.defaults.entropyCost
    @Option(help: "Shift of a new value head. It is subtracted from the values.")
    public var valueNormalisation = Self.defaults.valueNormalisation
    @Option(help: "Divisor of a new value head. The shifted values are divided by it.")
    public var valueNormalisationStd = Self.defaults.valueNormalisationStd

    public init() {}

    /// Other names of options.
    public static let aliases = ["normalise-advantages": "normalize-advantages"]

    /// What `none` means where an option always has a value.
    public static let valuesOfNone = ["appo-clip-policy": "0", "appo-clip-baseline": "0"]
}
