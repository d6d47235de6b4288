public import ArgumentParser
public import Study

/// Where comparisons come from, and the model that learns from them.
public struct ComparisonOptions: SettingsOptions {
    public typealias Values = ComparisonSettings

    @Option(help: "The supervised model to start from: a model folder, a GGUF file or a run folder.", completion: .file())
    public var modelName: String
    @Option(
        help: """
            The comparisons: summarisation, cnndm, a folder with a file of them for each split (train, validation, ood_validation), or \
            RUN:TABLE, a run's table of answers with rewards; unless given those of --dataset, or simulated ones if that holds posts.
            """, completion: .directory)
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
    @Option(
        help: """
            Tables: which answers to a prompt are compared, by their rewards: best-worst, best-random, margin (all pairs beyond --pair-margin) \
            or divpo (the most diverse of the good ones against the least diverse of the bad ones); best-worst unless given.
            """)
    public var pairs: String?
    @Option(help: "Tables: pairs whose rewards are closer than this are left out; 0 unless given.")
    public var pairMargin: Double?
    @Option(help: "Tables: pairs of a prompt at most, drawn at random; all unless given.")
    public var pairLimit: Int?
    @Option(
        help: """
            Tables, divpo: good rewards are within this share of a prompt's range of rewards below the greatest, bad ones within it above the \
            least; 0.2 unless given.
            """)
    public var divpoThreshold: Double?
    @Option(
        help: """
            How much an answer differs from the others to its prompt, for divpo and for weights of pairs: ngrams, words (how rare its words \
            are), or the folder of a sentence encoder; ngrams unless given.
            """)
    public var answerDiversity: String?
    @Option(
        help: """
            Tables: the share of the prompts that is held out for validation where the run has no tables of held-out splits; 0.1 unless given.
            """)
    public var heldOutShare: Double?

    public init() {}
}
