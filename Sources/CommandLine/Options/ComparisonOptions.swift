public import ArgumentParser
public import Study

/// Where comparisons come from, and the model that learns from them.
public struct ComparisonOptions: SettingsOptions {
    public typealias Values = ComparisonSettings

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
    @Option(help: "Validation comparisons to use at most, from the first.")
    public var evalSubsampleNum: Int?

    public init() {}
}
