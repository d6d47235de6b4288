import Data
import Diversity
import Foundation
import Models

/// Settings of a diversity measurement: the outputs to measure and the metrics.
public struct DiversitySettings: Settings {
    /// The runs whose tables are measured: IDs of runs in `outputDir`, or paths.
    public var runIds: [String] = []
    /// The tables of these runs; test, for example, reads tables/test.jsonl. Rows with equal inputs count as one input.
    public var tableName: [String] = ["test"]
    /// A file to measure instead of runs: JSON with a list of objects whose output is a string or a list of strings, or JSON
    /// lines with such objects or with the rows of a table.
    public var decodes: String?
    /// Tables of the same runs with out-of-distribution outputs. They are measured, too, and the gap of every metric is reported.
    public var oodTableName: [String] = []
    /// Runs of a second system on the same inputs. They are measured, too, and the paired difference of every metric is reported.
    public var compareRunIds: [String] = []
    /// A file of the second system's outputs, in the format of `decodes`.
    public var compareDecodes: String?
    /// Whether each run of `compareRunIds` is a separate system, rather than all of them together one system.
    public var compareEach = false
    /// The metrics, by exact name, or all.
    public var diversityMetrics: [String] = ["all"]
    /// Whether texts are also compared with their references: ROUGE, BLEU, exact match, lengths and rewards.
    public var textMetrics = false
    /// The maximum number of outputs per input. With `referenceCompatible`, the maximum number of inputs, the first in the order
    /// of their texts.
    public var limitOutputs: Int?
    /// Leaves out the diversity among the outputs of each input.
    public var noPerInput = false
    /// Leaves out the diversity across inputs, which takes one output of each input.
    public var noAcrossInput = false
    /// The number of random draws of one output per input over which the diversity across inputs is averaged.
    public var acrossInputDraws = 16
    /// Leaves out the diversity of all outputs together.
    public var noOverallInput = false
    /// Measures a random sample of all outputs together instead of all of them.
    public var sampleOverall = false
    /// The number of outputs in that sample.
    public var sampleOverallSize = 500
    /// Measures the references instead of the outputs.
    public var useReferences = false
    /// Adds every metric on texts truncated to a common length.
    public var lengthControl = false
    /// The common length in words. Default: a length that 90% of all texts reach.
    public var commonLength: Int?
    /// The maximum number of tables. With `referenceCompatible`, every sample of an input counts as one.
    public var maxTables = 16
    /// N of the best-of-N outputs that are simulated for every input: by drawing, and exactly for metrics that allow it.
    public var simulateBonForPerInput: Int?
    /// The number of simulated best-of-N outputs per input.
    public var simulateBonForPerInputNOutputs = 32
    /// Whether the expected reward and length of the best of n outputs are computed from the outputs' rewards, for every n.
    public var bestOfNCurve = false
    /// The vocabulary size V of the expectation-adjusted distinct metric.
    public var eadVocabularySize = 50_257
    /// The order of the Vendi scores: a number of at least 0, or inf.
    public var vendiOrder = "1"
    /// The words of n-grams: published (periods and newlines deleted, split at spaces), whitespace, or unicode-words (runs of
    /// letters and digits).
    public var ngramWords = "published"
    /// Whether a newline separates words with published; in the original code it joins them.
    public var ngramNewlineSeparates = false
    /// Whether n-grams are compared in lower case.
    public var ngramLowercase = false
    /// The folder of a sentence encoder for the embedding metrics (sentence-transformers' layout, or an encoder alone; see
    /// Docs/models.md).
    public var embeddingModel: String?
    /// A prompt that precedes every text for the sentence encoder. Default: the default prompt in its folder.
    public var embeddingPrompt: String?
    /// The name of such a prompt among the prompts in the encoder's folder; `none` for no prompt.
    public var embeddingPromptName: String?
    /// The number of leading channels of an embedding that are kept (Matryoshka). Default: as the encoder's folder says.
    public var embeddingDimension: Int?
    /// The folder of a classifier for natural language inference, such as roberta-large-mnli or a DeBERTa-v3, for the nli
    /// metrics.
    public var nliModel: String?
    /// The labels of that classifier's logits in their order, if its config.json does not name them: contradiction, neutral and
    /// entailment in any order.
    public var nliLabels: [String] = []
    /// The maximum number of pairs of a set that the classifier judges, drawn at random; 0 for all. A set of 32 has 496 pairs.
    public var nliPairs = 1000
    /// The maximum number of sentences that nli_sample_from_sim draws for a pair.
    public var nliSamples = 5
    /// Whether the nli metrics are computed as in the original code: top label only, inverted, with characters in place of
    /// sentences.
    public var nliReferenceForm = false
    /// The least reward of a good answer, for pass_at_k and effective_semantic_diversity. For two systems, the loss of diversity
    /// is also split into the loss from leaving out worse answers and the rest.
    public var qualityThreshold: Double?
    /// When two answers count as equivalent: ngrams (word overlap), embeddings, entailment (in both directions), classifier, or
    /// best, which is the last of these for which a model is given.
    public var equivalence = "best"
    /// The threshold of `equivalence`, above which two answers are equivalent. Default: overlap 0.458 (ngrams), cosine 0.8
    /// (embeddings), probability 0.102 (classifier).
    public var equivalenceThreshold: Double?
    /// The folder of a classifier that decides whether two answers are equivalent, such as deberta-v3-large-generation-similarity
    /// of NoveltyBench.
    public var similarityModel: String?
    /// Whether each answer is preceded by its input in entailment tests; useful for short inputs.
    public var entailmentWithInput = false
    /// k of distinct_k, utility_k, pass_at_k and best_reward_at_k. Default: the number of answers to an input.
    public var atK: Int?
    /// The probability that a reader continues to the next answer, for utility_k.
    public var utilityPatience = 0.8
    /// Thresholds that map rewards to integers from 1, for utility_k. Default: rewards are used directly.
    public var utilityLevels: [Double] = []
    /// When an answer covers a reference: rouge-l (F of at least `coverageThreshold`), or equivalence.
    public var coverageBy = "rouge-l"
    /// The least ROUGE-L F at which an answer covers a reference.
    public var coverageThreshold = 0.5
    /// The URL of an embedding service with OpenAI's API, for openai_from_sim. Its key is read from OPENAI_API_KEY.
    public var embeddingServiceUrl: String?
    /// The model that is requested from the embedding service.
    public var embeddingServiceModel = "text-embedding-3-small"
    /// The number of texts per request to the embedding service.
    public var embeddingServiceBatchSize = 64
    /// The time-out of a request to the embedding service, in seconds.
    public var embeddingServiceTimeout = 60.0
    /// The number of attempts per request, after which its texts are left out and counted.
    public var embeddingServiceAttempts = 5
    /// The number of resamples for bootstrap intervals.
    public var bootstrapResamples = 2000
    /// Whether to measure as the original code does: NLI metrics are inverted and use characters in place of sentences, and
    /// limits count inputs and samples.
    public var referenceCompatible = false

    /// The defaults.
    public init() {}

    /// The values of `--ngram-words` and their meanings.
    private static let splittings: KeyValuePairs<String, NGramTokenisation.Splitting> = [
        "published": .published, "whitespace": .whitespace, "unicode-words": .unicodeWords,
    ]

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard compareRunIds.isEmpty || compareDecodes == nil else {
            throw InvalidSetting(
                "--compare-run-ids and --compare-decodes both name the second system; choose one of them")
        }
        guard oodTableName.isEmpty || !hasSecondSystem else {
            throw InvalidSetting(
                "--ood-table-name and a second system (--compare-…) cannot be combined; run the two comparisons separately")
        }
        guard oodTableName.isEmpty || decodes == nil else {
            throw InvalidSetting("--ood-table-name names tables of --run-ids; it cannot be combined with --decodes")
        }
        for (option, runs) in [("--run-ids", runIds), ("--compare-run-ids", compareRunIds)] where Set(runs).count < runs.count {
            throw InvalidSetting("\(option) must name each run only once: \(runs.joined(separator: ", "))")
        }
        guard !compareEach || compareRunIds.count > 1 else {
            throw InvalidSetting("--compare-each needs at least two runs in --compare-run-ids")
        }
        guard nliPairs >= 0 else { throw InvalidSetting("--nli-pairs must not be negative") }
        guard maxTables > 0, bootstrapResamples > 0 else {
            throw InvalidSetting("--max-tables and --bootstrap-resamples must be above 0")
        }
        guard embeddingServiceBatchSize > 0, embeddingServiceAttempts > 0, embeddingServiceTimeout > 0 else {
            throw InvalidSetting(
                "--embedding-service-batch-size, --embedding-service-attempts and --embedding-service-timeout must be above 0")
        }
        guard embeddingServiceTimeout <= 86_400 else {
            throw InvalidSetting("--embedding-service-timeout must be at most 86400 s (one day)")
        }
        try validateNumbers()
        try validateModels()
    }

    private func validateModels() throws {
        guard embeddingPrompt == nil || embeddingPromptName == nil else {
            throw InvalidSetting("--embedding-prompt and --embedding-prompt-name both set the prefix of texts; choose one of them")
        }
        if let embeddingDimension, embeddingDimension < 1 { throw InvalidSetting("--embedding-dimension must be above 0") }
        let encoding: [(String, Bool)] = [
            ("--embedding-prompt", embeddingPrompt != nil), ("--embedding-prompt-name", embeddingPromptName != nil),
            ("--embedding-dimension", embeddingDimension != nil),
        ]
        for (option, isGiven) in encoding where isGiven && embeddingModel == nil {
            throw InvalidSetting("\(option) has no effect without --embedding-model")
        }
        guard !nliLabels.isEmpty else { return }
        guard nliModel != nil else { throw InvalidSetting("--nli-labels has no effect without --nli-model") }
        let names = ["contradiction", "neutral", "entailment"]
        guard names.allSatisfy({ name in nliLabels.count { $0.lowercased() == name } == 1 }) else {
            throw InvalidSetting("--nli-labels must name \(names.joined(separator: ", ")) once each, in the order of the logits")
        }
    }

    /// Whether a second system is given.
    var hasSecondSystem: Bool { !compareRunIds.isEmpty || compareDecodes != nil }

    /// The configuration of the measurement.
    /// - Throws: `InvalidSetting` for an unknown value; `DiversityError` for numbers out of range and unknown metrics.
    func configuration(seed: UInt64, kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn) throws -> DiversityConfig {
        var config = DiversityConfig()
        config.metrics = diversityMetrics
        config.limitOutputs = limitOutputs
        config.useReferences = useReferences
        config.lengthControl = lengthControl
        config.commonLength = commonLength
        config.maximumTables = maxTables
        config.plan.perInput = !noPerInput
        config.plan.acrossInputs = !noAcrossInput
        config.plan.draws = acrossInputDraws
        config.plan.overall = !noOverallInput
        config.plan.overallSample = sampleOverall ? sampleOverallSize : nil
        config.plan.simulatedBestOfN = simulateBonForPerInput
        config.plan.simulatedOutputs = simulateBonForPerInputNOutputs
        config.vocabularySize = eadVocabularySize
        guard let order = VendiOrder(vendiOrder) else {
            throw InvalidSetting("--vendi-order is '\(vendiOrder)'; expected inf or a number that is not negative")
        }
        config.vendiOrder = order
        guard let splitting = Self.splittings.first(where: { $0.key == SettingName.canonical(ngramWords) })?.value
        else {
            let names = Self.splittings.map(\.key).joined(separator: ", ")
            throw InvalidSetting("--ngram-words is '\(ngramWords)'; expected \(names)")
        }
        config.tokenisation = NGramTokenisation(
            splitting: splitting, newlineSeparates: ngramNewlineSeparates, lowercases: ngramLowercase)
        config.nliPairs = nliPairs == 0 ? nil : nliPairs
        config.nliSamples = nliSamples
        config.answers = try answerOptions()
        config.resamples = bootstrapResamples
        config.seed = seed
        config.selectsAsOriginal = referenceCompatible
        config.plan.simulatesEverySet = referenceCompatible && simulateBonForPerInput != nil
        if referenceCompatible || nliReferenceForm {
            config.nliScoring = .reference
            config.nliForm = .charactersScaledTwice
        }
        try config.validate(kinds: kinds)
        return config
    }

    /// Loads the models that the settings name.
    /// - Parameter service: creates the encoder for `embeddingServiceUrl`.
    /// - Throws: `InvalidSetting`; errors of loading the models.
    func models(service: ((DiversitySettings) throws -> any TextEncoder)?) throws -> DiversityModels {
        if embeddingServiceUrl != nil, service == nil {
            throw InvalidSetting("--embedding-service-url needs StageEnvironment.embeddingService, which makes its encoder")
        }
        let prompt =
            embeddingPrompt.map(SentencePrompt.text) ?? embeddingPromptName.map { $0 == "none" ? .text("") : .named($0) } ?? .standard
        return DiversityModels(
            encoder: try embeddingModel.map {
                try FolderSentenceEncoder(
                    EncoderFolder.sentences($0, option: "--embedding-model"), prompt: prompt, dimension: embeddingDimension)
            },
            remoteEncoder: try embeddingServiceUrl == nil ? nil : service?(self),
            entailment: try nliModel.map {
                try FolderEntailmentModel(
                    EncoderFolder.entailment($0, option: "--nli-model"), labels: nliLabels.isEmpty ? nil : nliLabels)
            },
            similarity: try similarityModel.map {
                try FolderSimilarityModel(EncoderFolder.similarity($0, option: "--similarity-model"))
            })
    }
}
