import Train

/// Options to follow the original code's PPO arithmetic point by point. `--reference-compatible` selects it everywhere; the
/// defaults below hold without it.
public struct PPOArithmeticSettings: Settings {
    /// When advantages are computed: rollout (once, with the values at sampling time), or learner (for every learn batch, with
    /// the current values; original). Default: rollout.
    public var advantageValues: String?
    /// The positions over which advantages are normalised: masked (response tokens), or full (including padding; original).
    /// Default: masked.
    public var advantageNorm: String?
    /// The divisor of losses: mask (response tokens), or columns (including padding; original). Default: mask.
    public var lossMean: String?
    /// The positions over which KL statistics are taken: masked (response tokens), or full (including padding; original).
    /// Default: masked.
    public var klStatistics: String?
    /// How learn batches combine into an optimiser step: tokens (one mean over all their tokens), mean, or sum (original).
    /// Default: tokens.
    public var accumulation: String?
    /// The KL that an adaptive KL weight follows: step (this step's rollouts), or log (the mean since the last log line;
    /// original). Default: step.
    public var klControl: String?
    /// The log-probabilities: sampling (logits divided by the sampling temperature), or raw (original). Default: sampling.
    public var logProbTemperature: String?
    /// The reported gradient norm before clipping: true, or root-of-norms (original). Default: true.
    public var gradNormForm: String?

    /// The defaults.
    public init() {}

    /// Checks that every value is known.
    /// - Throws: `InvalidSetting`.
    public func validate() throws { _ = try compatibility(reference: false) }

    /// The parts of the arithmetic that follow the original code.
    /// - Parameter reference: whether the original code's arithmetic is the default.
    /// - Throws: `InvalidSetting` for an unknown value.
    func compatibility(reference: Bool) throws -> PPOCompatibility {
        var result = reference ? PPOCompatibility.reference : .sane
        func choose(_ word: String?, _ option: String, _ sane: String, _ other: String, _ set: (Bool) -> Void) throws {
            guard let word else { return }
            switch SettingName.canonical(word) {
            case sane: set(false)
            case other: set(true)
            default: throw InvalidSetting("\(option) is '\(word)'; expected \(sane) or \(other)")
            }
        }
        try choose(advantageValues, "--advantage-values", "rollout", "learner") { result.usesLearnerValues = $0 }
        try choose(advantageNorm, "--advantage-norm", "masked", "full") { result.normalisesOverPadding = $0 }
        try choose(lossMean, "--loss-mean", "mask", "columns") { result.dividesByColumns = $0 }
        try choose(klStatistics, "--kl-statistics", "masked", "full") { result.measuresOverPadding = $0 }
        try choose(klControl, "--kl-control", "step", "log") { result.adaptsSinceLog = $0 }
        try choose(logProbTemperature, "--log-prob-temperature", "sampling", "raw") { result.ignoresTemperature = $0 }
        try choose(gradNormForm, "--grad-norm-form", "true", "root-of-norms") { result.reportsRootOfNorms = $0 }
        if let accumulation {
            guard let found = PPOCompatibility.Accumulation(rawValue: accumulation.lowercased()) else {
                throw InvalidSetting("--accumulation is '\(accumulation)'; expected tokens, mean or sum")
            }
            result.accumulation = found
        }
        // options that count padding need padded responses
        result.padsResponses = result.normalisesOverPadding || result.dividesByColumns || result.measuresOverPadding
        return result
    }
}
