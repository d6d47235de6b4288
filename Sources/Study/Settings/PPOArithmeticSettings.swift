import Train

/// Where PPO follows the original's arithmetic; `--reference-compatible` chooses it everywhere.
public struct PPOArithmeticSettings: Settings {
    /// Values that advantages are taken from: rollout (once, when sampling), or learner (anew in every learn batch; original).
    public var advantageValues: String?
    /// What advantages are normalised over: masked (response tokens), or full (padding, too; original).
    public var advantageNorm: String?
    /// What losses are divided by: mask (response tokens), or columns (padding, too; original).
    public var lossMean: String?
    /// What KL statistics are taken over: masked (response tokens), or full (padding, too; original).
    public var klStatistics: String?
    /// How learn batches make an optimiser step: tokens (one mean over all of them), mean, or sum (original).
    public var accumulation: String?
    /// What an adaptive KL weight follows: step (this step's rollouts), or log (the mean since the last log line; original).
    public var klControl: String?
    /// Log-probabilities: sampling (divided by the temperature, as drawn), or raw (original).
    public var logProbTemperature: String?
    /// The reported norm of unclipped gradients: true, or root-of-norms (original).
    public var gradNormForm: String?

    /// The defaults.
    public init() {}

    public func validate() throws { _ = try compatibility(reference: false) }

    /// Where the original's arithmetic is followed.
    /// - Throws: `InvalidSetting` for an unknown word.
    func compatibility(reference: Bool) throws -> PPOCompatibility {
        var result = reference ? PPOCompatibility.reference : .sane
        func choose(_ word: String?, _ option: String, _ sane: String, _ other: String, _ set: (Bool) -> Void) throws {
            guard let word else { return }
            switch SettingName.canonical(word) {
            case sane: set(false)
            case other: set(true)
            default: throw InvalidSetting("\(option) is '\(word)'; it takes \(sane) or \(other)")
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
                throw InvalidSetting("--accumulation is '\(accumulation)'; it takes tokens, mean or sum")
            }
            result.accumulation = found
        }
        // what counts padding needs it
        result.padsResponses = result.normalisesOverPadding || result.dividesByColumns || result.measuresOverPadding
        return result
    }
}
