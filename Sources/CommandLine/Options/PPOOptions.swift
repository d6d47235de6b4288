public import ArgumentParser
public import Study

/// How rewards become advantages, and advantages losses.
public struct PPOOptions: SettingsOptions {
    public typealias Values = PPOSettings

    @Option(help: "γ, the discount of later rewards; 1 unless given (the original: 0.999).")
    public var discounting: Double?
    @Option(help: "λ of the advantage estimate.")
    public var lam = Self.defaults.lam
    @Option(
        help: .yesNo("Whether advantages follow GAE (else V-trace: reward and return behind a token, minus its value).")
    )
    public var useGaeLambdaAdvantages = Self.defaults.useGaeLambdaAdvantages
    @Option(
        help: .yesNo(
            "Whether advantages and returns are corrected by the ratio of the learner's and the sampler's probabilities."
        ))
    public var importanceSamplingCorrection = Self.defaults.importanceSamplingCorrection
    @Option(
        help: .yesNo("Whether advantages are given mean 0 and deviation 1; yes for gae, vtrace and reinforce++ unless given."))
    public var normalizeAdvantages: Bool?
    @Option(help: .yesNo("Whether mean and deviation of advantages are those of the whole run so far."))
    public var useGlobalAdvantageNorm = Self.defaults.useGlobalAdvantageNorm
    @Option(help: "The policy ratio is clipped to 1 ± this; not at all if 0 or none.")
    public var appoClipPolicy = Self.defaults.appoClipPolicy
    @Option(help: "Values are clipped to their old value ± this; not at all if 0 or none.")
    public var appoClipBaseline = Self.defaults.appoClipBaseline
    @Option(help: "The weight of the value loss.")
    public var baselineCost = Self.defaults.baselineCost
    @Option(help: "The weight of the entropy bonus.")
    public var entropyCost = Self.defaults.entropyCost
    @Option(help: "A fresh value head's values are shifted by this.")
    public var valueNormalisation = Self.defaults.valueNormalisation
    @Option(help: "A fresh value head's shifted values are divided by this.")
    public var valueNormalisationStd = Self.defaults.valueNormalisationStd

    public init() {}

    /// Other names of options.
    public static let aliases = ["normalise-advantages": "normalize-advantages"]

    /// What `none` means where an option always has a value.
    public static let valuesOfNone = ["appo-clip-policy": "0", "appo-clip-baseline": "0"]
}
