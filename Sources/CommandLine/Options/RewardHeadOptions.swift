public import ArgumentParser
public import Study

/// The head of a reward model, and what is saved of it.
public struct RewardHeadOptions: SettingsOptions {
    public typealias Values = RewardHeadSettings

    @Option(
        help: """
            Weight of the loss term that centres scores. The term is the squared sum of a pair's scores, which keeps scores around 0; 0.01 \
            is usual.
            """)
    public var centerRewardsCoefficient = Self.defaults.centerRewardsCoefficient
    @Option(help: .yesNo("Save a copy with a normalised head, too. Its scores have mean 0 and standard deviation 1 on training pairs."))
    public var calculateNormalisation = Self.defaults.calculateNormalisation
    @Option(help: "Folder name of the normalised copy. It lies in the run folder.", completion: .directory)
    public var normalisationCheckpointDir = Self.defaults.normalisationCheckpointDir
    @Option(
        help: """
            Folder name of a classifier copy. The copy lies in the run folder and has the format of Transformers' sequence classifiers \
            with one label. It is normalised if there is a normalised model. Default: no such copy.
            """, completion: .directory)
    public var classifierDir: String?
    @Option(help: "Shift of a new head. It is subtracted from the scores.")
    public var valueNormalisation = Self.defaults.valueNormalisation
    @Option(help: "Divisor of a new head. The shifted scores are divided by it.")
    public var valueNormalisationStd = Self.defaults.valueNormalisationStd
    @Option(help: .yesNo("Apply a tanh in the head."))
    public var valueHeadActivation = Self.defaults.valueHeadActivation
    @Option(
        help: """
            Position of scores. Either last-token, or padding-count as in the original. Default: last-token; with --reference-compatible, \
            padding-count.
            """)
    public var scorePosition: String?
    @Option(
        help: .yesNo(
            """
            Save predictions of the last evaluation. Predictions and scores of each split are saved as two CSV files per split.
            """))
    public var savePreds = Self.defaults.savePreds

    public init() {}
}
