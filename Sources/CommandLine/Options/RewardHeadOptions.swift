public import ArgumentParser
public import Study

/// The head of a reward model, and what is saved of it.
public struct RewardHeadOptions: SettingsOptions {
    public typealias Values = RewardHeadSettings

    @Option(
        help:
            "Weighs the square of a pair's summed scores in the loss, which draws every prompt's scores towards 0; 0.01 is usual."
    )
    public var centerRewardsCoefficient = Self.defaults.centerRewardsCoefficient
    @Option(
        help: .yesNo("Whether a copy with a normalised head (mean 0, deviation 1 on training pairs) is saved, too."))
    public var calculateNormalisation = Self.defaults.calculateNormalisation
    @Option(help: "The copy's folder in the run folder.", completion: .directory)
    public var normalisationCheckpointDir = Self.defaults.normalisationCheckpointDir
    @Option(
        help:
            "Also writes the model (normalised, if there is such a copy) as Transformers' sequence classifier with one label, into this folder of the run.",
        completion: .directory
    )
    public var classifierDir: String?
    @Option(help: "A fresh head's scores are shifted by this.")
    public var valueNormalisation = Self.defaults.valueNormalisation
    @Option(help: "A fresh head's shifted scores are divided by this.")
    public var valueNormalisationStd = Self.defaults.valueNormalisationStd
    @Option(help: .yesNo("Whether the head has a tanh."))
    public var valueHeadActivation = Self.defaults.valueHeadActivation
    @Option(help: "Where scores are read: last-token, or padding-count as the original does.")
    public var scorePosition: String?
    @Option(help: .yesNo("Whether predictions and scores of the last evaluation of each split are written, two CSV files a split."))
    public var savePreds = Self.defaults.savePreds

    public init() {}
}
