/// The source of comparisons, and the model that learns from them.
public struct ComparisonSettings: Settings {
    /// The supervised model to start from: a model folder or a run folder.
    public var modelName: String = ""
    /// The comparisons: summarisation, cnndm, a folder with one file per split (train, validation, ood_validation), or RUN:TABLE,
    /// a run's table of answers with rewards. Default: those of `dataset`, or simulated ones if `dataset` holds posts.
    public var comparisons: String?
    /// Simulation: the number of training prompts that get comparisons.
    public var simulatedPrompts = 2000
    /// Simulation: the number of prompts of each held-out split that get comparisons.
    public var simulatedEvaluationPrompts = 300
    /// Simulation: the temperatures at which the supervised model samples summaries. The reference summary is compared, too.
    public var simulatedTemperatures: [Double] = [0.7, 1, 1.3]
    /// Simulation: the number of summaries sampled for each prompt at each temperature.
    public var samplesPerTemperature = 1
    /// Simulation: the number of pairs per prompt.
    public var pairsPerPrompt = 2
    /// Simulation: the least difference of judged scores. Pairs that differ by at least this much, and not by 0, are used.
    public var minimumMargin = 0.1
    /// Simulation: the share of training labels that are flipped.
    public var flippedShare = 0.05
    /// Simulation: the penalty of the hidden judge for a summary twice as long as the reference.
    public var lengthWeight = 0.2
    /// The maximum number of validation comparisons, taken from the first. Default: all.
    public var evalSubsampleNum: Int?
    /// Tables: which answers to a prompt are compared, by their rewards: best-worst, best-random, margin (all pairs that differ
    /// by at least `pairMargin`) or divpo (the most diverse good answer against the least diverse bad one). Default: best-worst.
    public var pairs: String?
    /// Tables: the least difference of rewards. Pairs that differ by at least this much, and not by 0, are used. Default: 0.
    public var pairMargin: Double?
    /// Tables: the maximum number of pairs per prompt, drawn at random. Default: all.
    public var pairLimit: Int?
    /// Tables, divpo: good answers have a reward within this share of the prompt's range of rewards below its maximum; bad
    /// answers, within this share above its minimum. Default: 0.2.
    public var divpoThreshold: Double?
    /// The measure of how much an answer differs from the others to its prompt, for divpo and for pair weights: ngrams, words
    /// (how rare its words are), or the folder of a sentence encoder. Default: ngrams.
    public var answerDiversity: String?
    /// Tables: the share of prompts held out for validation if the run has no tables of held-out splits. Default: 0.1.
    public var heldOutShare: Double?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        for (name, value) in [
            ("--simulated-prompts", simulatedPrompts), ("--simulated-evaluation-prompts", simulatedEvaluationPrompts),
            ("--samples-per-temperature", samplesPerTemperature), ("--pairs-per-prompt", pairsPerPrompt),
        ] where value <= 0 {
            throw InvalidSetting("\(name) is \(value); it must be above 0")
        }
        guard !simulatedTemperatures.isEmpty, simulatedTemperatures.allSatisfy({ $0 >= 0 }) else {
            throw InvalidSetting("--simulated-temperatures must be one or more numbers that are not negative")
        }
        guard evalSubsampleNum ?? 0 >= 0 else { throw InvalidSetting("--eval-subsample-num must not be negative") }
        guard (0...0.5).contains(flippedShare) else { throw InvalidSetting("--flipped-share must be in 0...0.5") }
        for (name, value) in [("--length-weight", lengthWeight), ("--minimum-margin", minimumMargin)] where value < 0 {
            throw InvalidSetting("\(name) must not be negative")
        }
        try validatePairs()
    }
}
