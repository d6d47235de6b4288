import Runs

/// The head of a reward model, and what is saved of it.
public struct RewardHeadSettings: Settings {
    /// Weighs the square of a pair's summed scores in the loss, which draws every prompt's scores towards 0; 0.01 is usual.
    public var centerRewardsCoefficient = 0.0
    /// Whether a copy with a normalised head (mean 0, deviation 1 on training pairs) is saved, too.
    public var calculateNormalisation = true
    /// The copy's folder in the run folder.
    public var normalisationCheckpointDir = RewardModelStage.normalisedName
    /// Also writes the model (normalised, if there is such a copy) as Transformers' sequence classifier with one label, into this folder
    /// of the run.
    public var classifierDir: String?
    /// A fresh head's scores are shifted by this.
    public var valueNormalisation: Float = 0
    /// A fresh head's shifted scores are divided by this.
    public var valueNormalisationStd: Float = 1
    /// Whether the head has a tanh.
    public var valueHeadActivation = false
    /// Where scores are read: last-token, or padding-count as the original does.
    public var scorePosition: String?
    /// Whether predictions and scores of the last evaluation of each split are written, two CSV files a split.
    public var savePreds = false

    /// The defaults.
    public init() {}

    /// Refuses a divisor of scores or values that no checkpoint may have.
    static func checkDivisor(_ deviation: Float) throws {
        guard deviation > 0, deviation.isFinite else {
            throw InvalidSetting("--value-normalisation-std is \(deviation); scores are divided by it, so it must be above 0")
        }
    }

    public func validate() throws {
        guard scorePosition.map({ ["last-token", "padding-count"].contains(SettingName.canonical($0)) }) ?? true else {
            throw InvalidSetting("--score-position is '\(scorePosition ?? "")'; it takes last-token or padding-count")
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
