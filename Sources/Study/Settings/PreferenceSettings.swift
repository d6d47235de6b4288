import Runs

/// Where comparisons come from.
public struct PreferenceSettings: Settings {
    /// The supervised model to start from: a model folder or a run folder.
    public var modelName: String = ""
    /// The comparisons: summarisation, cnndm, or a folder with a file of them for each split (train, validation, ood_validation); unless
    /// given those of `dataset`, or simulated ones if that holds posts.
    public var comparisons: String?
    /// Simulation: prompts of the training split that get comparisons.
    public var simulatedPrompts = 2000
    /// Simulation: prompts of each held-out split that get comparisons.
    public var simulatedEvaluationPrompts = 300
    /// Simulation: temperatures at which the supervised model writes summaries; the reference joins them.
    public var simulatedTemperatures: [Double] = [0.7, 1, 1.3]
    /// Simulation: summaries drawn for each prompt at each temperature.
    public var samplesPerTemperature = 1
    /// Simulation: pairs of each prompt's summaries.
    public var pairsPerPrompt = 2
    /// Simulation: pairs whose judged scores are closer than this are left out.
    public var minimumMargin = 0.1
    /// Simulation: the share of the training labels that are flipped.
    public var flippedShare = 0.05
    /// Simulation: what the hidden judge takes off a summary of twice the reference's length.
    public var lengthWeight = 0.2
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
    /// Validation comparisons to use at most, from the first.
    public var evalSubsampleNum: Int?
    /// Whether predictions of the final evaluation are written, one CSV file a split.
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
        guard simulatedPrompts > 0, simulatedEvaluationPrompts > 0, samplesPerTemperature > 0, pairsPerPrompt > 0 else {
            throw InvalidSetting("the numbers of the simulation must be above 0")
        }
        guard !simulatedTemperatures.isEmpty, simulatedTemperatures.allSatisfy({ $0 >= 0 }) else {
            throw InvalidSetting("--simulated-temperatures takes numbers that are not negative")
        }
        guard evalSubsampleNum ?? 0 >= 0 else { throw InvalidSetting("--eval-subsample-num must not be negative") }
        guard (0...0.5).contains(flippedShare) else { throw InvalidSetting("--flipped-share must be in 0...0.5") }
        for (name, value) in [
            ("--length-weight", lengthWeight), ("--minimum-margin", minimumMargin),
            ("--center-rewards-coefficient", centerRewardsCoefficient),
        ] where value < 0 {
            throw InvalidSetting("\(name) must not be negative")
        }
    }
}
