/// Where comparisons come from, and the model that learns from them.
public struct ComparisonSettings: Settings {
    /// The supervised model to start from: a model folder or a run folder.
    public var modelName: String = ""
    /// The comparisons: summarisation, cnndm, a folder with a file of them for each split (train, validation, ood_validation), or RUN:TABLE,
    /// a run's table of answers with rewards; unless given those of `dataset`, or simulated ones if that holds posts.
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
    /// Validation comparisons to use at most, from the first.
    public var evalSubsampleNum: Int?
    /// Tables: which answers to a prompt are compared, by their rewards: best-worst, best-random, margin (all pairs beyond `pairMargin`) or
    /// divpo (the most diverse of the good ones against the least diverse of the bad ones); best-worst unless given.
    public var pairs: String?
    /// Tables: pairs whose rewards are closer than this are left out; 0 unless given.
    public var pairMargin: Double?
    /// Tables: pairs of a prompt at most, drawn at random; all unless given.
    public var pairLimit: Int?
    /// Tables, divpo: good rewards are within this share of a prompt's range of rewards below the greatest, bad ones within it above the
    /// least; 0.2 unless given.
    public var divpoThreshold: Double?
    /// How much an answer differs from the others to its prompt, for divpo and for weights of pairs: ngrams, words (how rare its words are), or
    /// the folder of a sentence encoder; ngrams unless given.
    public var answerDiversity: String?
    /// Tables: the share of the prompts that is held out for validation where the run has no tables of held-out splits; 0.1 unless given.
    public var heldOutShare: Double?

    /// The defaults.
    public init() {}

    public func validate() throws {
        for (name, value) in [
            ("--simulated-prompts", simulatedPrompts), ("--simulated-evaluation-prompts", simulatedEvaluationPrompts),
            ("--samples-per-temperature", samplesPerTemperature), ("--pairs-per-prompt", pairsPerPrompt),
        ] where value <= 0 {
            throw InvalidSetting("\(name) is \(value); it must be above 0")
        }
        guard !simulatedTemperatures.isEmpty, simulatedTemperatures.allSatisfy({ $0 >= 0 }) else {
            throw InvalidSetting("--simulated-temperatures takes numbers that are not negative")
        }
        guard evalSubsampleNum ?? 0 >= 0 else { throw InvalidSetting("--eval-subsample-num must not be negative") }
        guard (0...0.5).contains(flippedShare) else { throw InvalidSetting("--flipped-share must be in 0...0.5") }
        for (name, value) in [("--length-weight", lengthWeight), ("--minimum-margin", minimumMargin)] where value < 0 {
            throw InvalidSetting("\(name) must not be negative")
        }
        try validatePairs()
    }
}
