public import ArgumentParser
public import Study

/// Where comparisons come from, and the model that learns from them.
public struct ComparisonOptions: SettingsOptions {
    public typealias Values = ComparisonSettings

    @Option(help: "Model folder, GGUF file or run folder. It holds the starting model, a supervised model.", completion: .file())
    public var modelName: String
    @Option(
        help: """
            Comparisons: a name, a folder or RUN:TABLE. Names: summarisation, cnndm. A folder has one file per split (train, validation, \
            ood_validation). RUN:TABLE is a run's table of answers with rewards. Default: those of --dataset, or simulated ones if \
            --dataset holds posts.
            """, completion: .directory)
    public var comparisons: String?
    @Option(help: "Simulation: training prompts with comparisons.")
    public var simulatedPrompts = Self.defaults.simulatedPrompts
    @Option(help: "Simulation: held-out prompts with comparisons. The number is per held-out split.")
    public var simulatedEvaluationPrompts = Self.defaults.simulatedEvaluationPrompts
    @Option(
        help: """
            Simulation: sampling temperatures. The supervised model samples summaries at each of them. The reference summary is compared, \
            too.
            """)
    public var simulatedTemperatures = ArgumentList(Self.defaults.simulatedTemperatures)
    @Option(help: "Simulation: summaries per temperature. They are sampled for each prompt.")
    public var samplesPerTemperature = Self.defaults.samplesPerTemperature
    @Option(help: "Simulation: number of pairs per prompt.")
    public var pairsPerPrompt = Self.defaults.pairsPerPrompt
    @Option(help: "Simulation: minimum difference of the judge's scores. Pairs that differ by less, or not at all, are left out.")
    public var minimumMargin = Self.defaults.minimumMargin
    @Option(help: "Simulation: share of training labels to flip.")
    public var flippedShare = Self.defaults.flippedShare
    @Option(help: "Simulation: length penalty of the hidden judge. It is the penalty for a summary twice as long as the reference.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "Maximum number of validation comparisons. They are taken from the first. Default: all.")
    public var evalSubsampleNum: Int?
    @Option(
        help: """
            Pairs to form from a table of answers. It says which answers to a prompt are compared, by their rewards: best-worst, \
            best-random, margin (all pairs that differ by at least --pair-margin) or divpo (the most diverse good answer against the \
            least diverse bad one). Default: best-worst.
            """)
    public var pairs: String?
    @Option(help: "Tables: minimum difference of rewards. Pairs that differ by less, or not at all, are left out. Default: 0.")
    public var pairMargin: Double?
    @Option(help: "Tables: maximum number of pairs per prompt. They are drawn at random. Default: all.")
    public var pairLimit: Int?
    @Option(
        help: """
            Tables, divpo: share of the range of rewards. The range is that of a prompt's answers. Good answers have a reward within this \
            share of it below the maximum; bad answers, within this share above the minimum. Default: 0.2.
            """)
    public var divpoThreshold: Double?
    @Option(
        help: """
            Measure of how an answer differs from others. It compares an answer with the others to its prompt, for divpo and for pair \
            weights: ngrams, words (how rare its words are), or the folder of a sentence encoder. Default: ngrams.
            """)
    public var answerDiversity: String?
    @Option(
        help: """
            Tables: share of prompts held out. They are used for validation if the run has no tables of held-out splits. Default: 0.1.
            """)
    public var heldOutShare: Double?

    public init() {}
}
