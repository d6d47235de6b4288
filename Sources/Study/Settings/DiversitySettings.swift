import Data
import Diversity
import Foundation
import Models

/// What is measured, and on which outputs.
public struct DiversitySettings: Settings {
    /// Runs whose tables are measured: ids below `outputDir`, or paths.
    public var runIds: [String] = []
    /// Tables of those runs; test, for example, takes tables/test.jsonl. Rows with equal inputs are one input.
    public var tableName: [String] = ["test"]
    /// Instead of runs: a JSON file with a list of objects whose output is a string or a list of strings, or JSON lines of such objects
    /// or of a table's rows.
    public var decodes: String?
    /// Tables of the same runs with outputs out of distribution: they are measured, too, and the gap of every metric is reported.
    public var oodTableName: [String] = []
    /// Runs of a second system on the same inputs: it is measured, too, and the paired difference of every metric reported.
    public var compareRunIds: [String] = []
    /// A file of the second system's outputs, as in `decodes`.
    public var compareDecodes: String?
    /// Takes every run of `compareRunIds` for a system of its own instead of all for one.
    public var compareEach = false
    /// The metrics, by exact name, or all.
    public var diversityMetrics: [String] = ["all"]
    /// Measures texts against their references, too: ROUGE, BLEU, exact match, lengths and rewards.
    public var textMetrics = false
    /// Outputs of each input at most; with `referenceCompatible` inputs at most, the first by their text.
    public var limitOutputs: Int?
    /// Leaves out the diversity of each input's own outputs.
    public var noPerInput = false
    /// Leaves out the diversity of one output of each input.
    public var noAcrossInput = false
    /// Draws of one output of each input that are averaged.
    public var acrossInputDraws = 16
    /// Leaves out the diversity of all outputs together.
    public var noOverallInput = false
    /// Measures a sample of all outputs together instead of all.
    public var sampleOverall = false
    /// Outputs of that sample.
    public var sampleOverallSize = 500
    /// Measures the references instead of the outputs.
    public var useReferences = false
    /// Adds every metric on texts cut to a common length.
    public var lengthControl = false
    /// That length in words; unless given, one that nine in ten of all texts have.
    public var commonLength: Int?
    /// Tables at most; with `referenceCompatible` every sample of an input counts as one.
    public var maxTables = 16
    /// Simulates best-of-N outputs of every input with this N, by drawing, and exactly where a metric allows it.
    public var simulateBonForPerInput: Int?
    /// Simulated outputs of every input.
    public var simulateBonForPerInputNOutputs = 32
    /// Computes the expected reward and length of the best of n for every n, from the outputs' rewards.
    public var bestOfNCurve = false
    /// V of the expectation-adjusted metric.
    public var eadVocabularySize = 50_257
    /// The order of the Vendi scores: a number from 0, or inf.
    public var vendiOrder = "1"
    /// What n-grams are made of: published (periods and newlines deleted, split at spaces), whitespace, or unicode-words (runs of letters
    /// and digits).
    public var ngramWords = "published"
    /// Whether a newline separates published words; in the original it joins them.
    public var ngramNewlineSeparates = false
    /// Whether n-grams are compared in lower case.
    public var ngramLowercase = false
    /// A folder with a sentence encoder (sentence-transformers' layout, or an encoder alone; see Docs/models.md), for the metrics of
    /// embeddings.
    public var embeddingModel: String?
    /// A text that is put before every text that the sentence encoder reads, instead of its folder's default prompt.
    public var embeddingPrompt: String?
    /// The same by its name among the prompts of the folder; `none` for no prompt.
    public var embeddingPromptName: String?
    /// How many channels of an embedding are kept, the first ones (Matryoshka); unless given, as many as the folder says.
    public var embeddingDimension: Int?
    /// A folder with a classifier of natural language inference, such as roberta-large-mnli or a DeBERTa-v3, for the nli metrics.
    public var nliModel: String?
    /// What the logits of that classifier are, in their order, where its config.json does not name them:
    /// contradiction,neutral,entailment in any order.
    public var nliLabels: [String] = []
    /// Pairs of a set that are judged at most, drawn at random; 0 for all. A set of 32 has 496 pairs.
    public var nliPairs = 1000
    /// Sentences of a pair that nli_sample_from_sim draws at most.
    public var nliSamples = 5
    /// Computes the nli metrics in the original's form: top label only, inverted, characters for sentences.
    public var nliReferenceForm = false
    /// The least reward that is good enough, for pass_at_k and effective_semantic_diversity; of two systems, the loss of diversity is
    /// parted into what leaving out worse answers would lose and the rest.
    public var qualityThreshold: Double?
    /// When two answers say the same: ngrams (overlap of words), embeddings, entailment (both ways), classifier, or best, the last of
    /// them that there is a model for.
    public var equivalence = "best"
    /// Above what overlap (0.458 unless given), cosine (0.8) or probability (0.102) two answers say the same; with `equivalence`.
    public var equivalenceThreshold: Double?
    /// A folder with a classifier of whether two answers say the same, such as deberta-v3-large-generation-similarity of NoveltyBench.
    public var similarityModel: String?
    /// Whether entailment is asked for between answers behind their inputs, for short inputs.
    public var entailmentWithInput = false
    /// k of distinct_k, utility_k, pass_at_k and best_reward_at_k; unless given, all answers to an input.
    public var atK: Int?
    /// How probable it is that a reader of utility_k reads on after an answer.
    public var utilityPatience = 0.8
    /// Thresholds that turn rewards into whole numbers from 1 on for utility_k, which else takes rewards as they are.
    public var utilityLevels: [Double] = []
    /// When an answer covers a reference: rouge-l (F of at least `coverageThreshold`), or equivalence.
    public var coverageBy = "rouge-l"
    /// The least ROUGE-L F at which an answer covers a reference.
    public var coverageThreshold = 0.5
    /// The URL of an embedding service of OpenAI's form, for openai_from_sim; its key is read from OPENAI_API_KEY.
    public var embeddingServiceUrl: String?
    /// The model that the embedding service is asked for.
    public var embeddingServiceModel = "text-embedding-3-small"
    /// Texts of a request to the embedding service.
    public var embeddingServiceBatchSize = 64
    /// Seconds until a request to the embedding service counts as failed.
    public var embeddingServiceTimeout = 60.0
    /// How often a request is tried before its texts are left out and counted.
    public var embeddingServiceAttempts = 5
    /// Resamples of bootstrap intervals.
    public var bootstrapResamples = 2000
    /// Whether NLI metrics are inverted and take characters for sentences, and limits count inputs and samples, as in the original.
    public var referenceCompatible = false

    /// The defaults.
    public init() {}

    /// Words of `--ngram-words` and what they mean.
    private static let splittings: KeyValuePairs<String, NGramTokenisation.Splitting> = [
        "published": .published, "whitespace": .whitespace, "unicode-words": .unicodeWords,
    ]

    public func validate() throws {
        guard compareRunIds.isEmpty || compareDecodes == nil else {
            throw InvalidSetting(
                "--compare-run-ids and --compare-decodes both name the second system; choose one of them")
        }
        guard oodTableName.isEmpty || !hasSecondSystem else {
            throw InvalidSetting(
                "--ood-table-name and a second system (--compare-…) are two comparisons; make them one by one")
        }
        guard oodTableName.isEmpty || decodes == nil else {
            throw InvalidSetting("--ood-table-name names tables of --run-ids; with --decodes there are none")
        }
        for (option, runs) in [("--run-ids", runIds), ("--compare-run-ids", compareRunIds)] where Set(runs).count < runs.count {
            throw InvalidSetting("\(option) names a run twice, whose texts would count twice: \(runs.joined(separator: ", "))")
        }
        guard !compareEach || compareRunIds.count > 1 else {
            throw InvalidSetting("--compare-each tells the runs of --compare-run-ids apart, which names fewer than two")
        }
        guard nliPairs >= 0 else { throw InvalidSetting("--nli-pairs must not be negative") }
        guard maxTables > 0, bootstrapResamples > 0 else {
            throw InvalidSetting("--max-tables and --bootstrap-resamples must be above 0")
        }
        guard embeddingServiceBatchSize > 0, embeddingServiceAttempts > 0, embeddingServiceTimeout > 0 else {
            throw InvalidSetting("batch size, attempts and time-out of the embedding service must be above 0")
        }
        guard embeddingServiceTimeout <= 86_400 else {
            throw InvalidSetting("--embedding-service-timeout is above 86400 s, a day")
        }
        try validateNumbers()
        try validateModels()
    }

    private func validateModels() throws {
        guard embeddingPrompt == nil || embeddingPromptName == nil else {
            throw InvalidSetting("--embedding-prompt and --embedding-prompt-name both say what is put before texts; choose one of them")
        }
        if let embeddingDimension, embeddingDimension < 1 { throw InvalidSetting("--embedding-dimension must be above 0") }
        let encoding: [(String, Bool)] = [
            ("--embedding-prompt", embeddingPrompt != nil), ("--embedding-prompt-name", embeddingPromptName != nil),
            ("--embedding-dimension", embeddingDimension != nil),
        ]
        for (option, isGiven) in encoding where isGiven && embeddingModel == nil {
            throw InvalidSetting("\(option) is for the encoder of --embedding-model, which is not given")
        }
        guard !nliLabels.isEmpty else { return }
        guard nliModel != nil else { throw InvalidSetting("--nli-labels is for the classifier of --nli-model, which is not given") }
        let names = ["contradiction", "neutral", "entailment"]
        guard names.allSatisfy({ name in nliLabels.count { $0.lowercased() == name } == 1 }) else {
            throw InvalidSetting("--nli-labels must name \(names.joined(separator: ", ")) once each, in the order of the logits")
        }
    }

    /// Whether a second system is given.
    var hasSecondSystem: Bool { !compareRunIds.isEmpty || compareDecodes != nil }

    /// The measurement that the options describe.
    /// - Throws: `InvalidSetting` for a word that is none; `DiversityError` for numbers out of range and unknown metrics.
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
            throw InvalidSetting("--vendi-order is '\(vendiOrder)'; it takes a number from 0, or inf")
        }
        config.vendiOrder = order
        guard let splitting = Self.splittings.first(where: { $0.key == SettingName.canonical(ngramWords) })?.value
        else {
            let names = Self.splittings.map(\.key).joined(separator: ", ")
            throw InvalidSetting("--ngram-words is '\(ngramWords)'; it takes \(names)")
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

    /// The models that the settings name.
    /// - Parameter service: makes the encoder behind `embeddingServiceUrl`.
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
