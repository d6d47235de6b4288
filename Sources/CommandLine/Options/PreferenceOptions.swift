public import ArgumentParser
public import Study

/// Where comparisons come from.
public struct PreferenceOptions: SettingsOptions {
    public typealias Values = PreferenceSettings

    @Option(help: "The supervised model to start from: a model folder, a GGUF file or a run folder.")
    public var modelName: String
    @Option(
        help: """
            The comparisons: summarisation, cnndm, or a folder with a file of them for each split (train, validation, ood_validation); \
            unless given those of --dataset, or simulated ones if that holds posts.
            """)
    public var comparisons: String?
    @Option(help: "Simulation: prompts of the training split that get comparisons.")
    public var simulatedPrompts = Self.defaults.simulatedPrompts
    @Option(help: "Simulation: prompts of each held-out split that get comparisons.")
    public var simulatedEvaluationPrompts = Self.defaults.simulatedEvaluationPrompts
    @Option(help: "Simulation: temperatures at which the supervised model writes summaries; the reference joins them.")
    public var simulatedTemperatures = ArgumentList(Self.defaults.simulatedTemperatures)
    @Option(help: "Simulation: summaries drawn for each prompt at each temperature.")
    public var samplesPerTemperature = Self.defaults.samplesPerTemperature
    @Option(help: "Simulation: pairs of each prompt's summaries.")
    public var pairsPerPrompt = Self.defaults.pairsPerPrompt
    @Option(help: "Simulation: pairs whose judged scores are closer than this are left out.")
    public var minimumMargin = Self.defaults.minimumMargin
    @Option(help: "Simulation: the share of the training labels that are flipped.")
    public var flippedShare = Self.defaults.flippedShare
    @Option(help: "Simulation: what the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(
        help:
            "Weighs the square of a pair's summed scores in the loss, which draws every prompt's scores towards 0; 0.01 is usual."
    )
    public var centerRewardsCoefficient = Self.defaults.centerRewardsCoefficient
    @Option(
        help: .yesNo("Whether a copy with a normalised head (mean 0, deviation 1 on training pairs) is saved, too."))
    public var calculateNormalisation = Self.defaults.calculateNormalisation
    @Option(help: "The copy's folder in the run folder.")
    public var normalisationCheckpointDir = Self.defaults.normalisationCheckpointDir
    @Option(
        help:
            "Also writes the model (normalised, if there is such a copy) as Transformers' sequence classifier with one label, into this folder of the run."
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
    @Option(help: "Validation comparisons to use at most, from the first.")
    public var evalSubsampleNum: Int?
    @Option(help: .yesNo("Whether predictions of the final evaluation are written, one CSV file a split."))
    public var savePreds = Self.defaults.savePreds

    public init() {}
}
