import Runs

/// Settings of a reward model's head, and of the files that are saved.
public struct RewardHeadSettings: Settings {
    /// The weight of the squared sum of a pair's scores in the loss, which keeps scores centred around 0; 0.01 is usual.
    public var centerRewardsCoefficient = 0.0
    /// Whether a copy with a normalised head is saved, too: its scores have mean 0 and standard deviation 1 on training pairs.
    public var calculateNormalisation = true
    /// The name of that copy's folder in the run folder.
    public var normalisationCheckpointDir = RewardModelStage.normalisedName
    /// The name of a folder in the run folder for a copy in the format of Transformers' sequence classifiers with one label. The
    /// copy is normalised if there is a normalised model. Default: no such copy.
    public var classifierDir: String?
    /// A new head subtracts this number from its scores.
    public var valueNormalisation: Float = 0
    /// A new head divides its shifted scores by this number.
    public var valueNormalisationStd: Float = 1
    /// Whether the head applies a tanh.
    public var valueHeadActivation = false
    /// Where scores are read: last-token, or padding-count as in the original code. Default: last-token, but padding-count with
    /// `referenceCompatible`.
    public var scorePosition: String?
    /// Whether predictions and scores of the last evaluation of each split are saved as two CSV files per split.
    public var savePreds = false

    /// The defaults.
    public init() {}

    /// Checks the divisor of scores or values, which must be positive and finite.
    /// - Throws: `InvalidSetting`.
    static func checkDivisor(_ deviation: Float) throws {
        guard deviation > 0, deviation.isFinite else {
            throw InvalidSetting("--value-normalisation-std is \(deviation); scores are divided by it, so it must be above 0")
        }
    }

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard scorePosition.map({ ["last-token", "padding-count"].contains(SettingName.canonical($0)) }) ?? true else {
            throw InvalidSetting("--score-position is '\(scorePosition ?? "")'; expected last-token or padding-count")
        }
        try Self.checkDivisor(valueNormalisationStd)
        for (option, name) in [
            ("--normalisation-checkpoint-dir", normalisationCheckpointDir), ("--classifier-dir", classifierDir ?? "model"),
        ] {
            do {
                try RunFolderError.checkResultName(name)
            } catch {
                throw InvalidSetting("\(option): \(error)")
            }
        }
        guard classifierDir != normalisationCheckpointDir else {
            throw InvalidSetting("--classifier-dir and --normalisation-checkpoint-dir must differ")
        }
        guard centerRewardsCoefficient >= 0 else { throw InvalidSetting("--center-rewards-coefficient must not be negative") }
    }
}
