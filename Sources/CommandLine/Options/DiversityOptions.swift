public import ArgumentParser
import Services
public import Study

/// What is measured, and on which outputs.
public struct DiversityOptions: SettingsOptions {
    public typealias Values = DiversitySettings

    @Option(help: "Runs whose tables are measured: ids below --output-dir, or paths.")
    public var runIds = ArgumentList(Self.defaults.runIds)
    @Option(
        help: "Tables of those runs; test, for example, takes tables/test.jsonl. Rows with equal inputs are one input.")
    public var tableName = ArgumentList(Self.defaults.tableName)
    @Option(
        help: """
            Instead of runs: a JSON file with a list of objects whose output is a string or a list of strings, or JSON lines of such \
            objects or of a table's rows.
            """)
    public var decodes: String?
    @Option(
        help: """
            Tables of the same runs with outputs out of distribution: they are measured, too, and the gap of every metric is reported.
            """)
    public var oodTableName = ArgumentList(Self.defaults.oodTableName)
    @Option(
        help:
            "Runs of a second system on the same inputs: it is measured, too, and the paired difference of every metric reported."
    )
    public var compareRunIds = ArgumentList(Self.defaults.compareRunIds)
    @Option(help: "A file of the second system's outputs, as in --decodes.")
    public var compareDecodes: String?
    @Option(help: .yesNo("Takes every run of --compare-run-ids for a system of its own instead of all for one."))
    public var compareEach = Self.defaults.compareEach
    @Option(help: "The metrics, by exact name, or all.")
    public var diversityMetrics = ArgumentList(Self.defaults.diversityMetrics)
    @Option(
        help: .yesNo("Measures texts against their references, too: ROUGE, BLEU, exact match, lengths and rewards."))
    public var textMetrics = Self.defaults.textMetrics
    @Option(help: "Outputs of each input at most; with --reference-compatible inputs at most, the first by their text.")
    public var limitOutputs: Int?
    @Option(help: .yesNo("Leaves out the diversity of each input's own outputs."))
    public var noPerInput = Self.defaults.noPerInput
    @Option(help: .yesNo("Leaves out the diversity of one output of each input."))
    public var noAcrossInput = Self.defaults.noAcrossInput
    @Option(help: "Draws of one output of each input that are averaged.")
    public var acrossInputDraws = Self.defaults.acrossInputDraws
    @Option(help: .yesNo("Leaves out the diversity of all outputs together."))
    public var noOverallInput = Self.defaults.noOverallInput
    @Option(help: .yesNo("Measures a sample of all outputs together instead of all."))
    public var sampleOverall = Self.defaults.sampleOverall
    @Option(help: "Outputs of that sample.")
    public var sampleOverallSize = Self.defaults.sampleOverallSize
    @Option(help: .yesNo("Measures the references instead of the outputs."))
    public var useReferences = Self.defaults.useReferences
    @Option(help: .yesNo("Adds every metric on texts cut to a common length."))
    public var lengthControl = Self.defaults.lengthControl
    @Option(help: "That length in words; unless given, one that nine in ten of all texts have.")
    public var commonLength: Int?
    @Option(help: "Tables at most; with --reference-compatible every sample of an input counts as one.")
    public var maxTables = Self.defaults.maxTables
    @Option(
        help:
            "Simulates best-of-N outputs of every input with this N, by drawing, and exactly where a metric allows it.")
    public var simulateBonForPerInput: Int?
    @Option(help: "Simulated outputs of every input.")
    public var simulateBonForPerInputNOutputs = Self.defaults.simulateBonForPerInputNOutputs
    @Option(
        help: .yesNo("Computes the expected reward and length of the best of n for every n, from the outputs' rewards.")
    )
    public var bestOfNCurve = Self.defaults.bestOfNCurve
    @Option(help: "V of the expectation-adjusted metric.")
    public var eadVocabularySize = Self.defaults.eadVocabularySize
    @Option(help: "The order of the Vendi scores: a number from 0, or inf.")
    public var vendiOrder = Self.defaults.vendiOrder
    @Option(
        help: """
            What n-grams are made of: published (periods and newlines deleted, split at spaces), whitespace, or unicode-words (runs of \
            letters and digits).
            """)
    public var ngramWords = Self.defaults.ngramWords
    @Option(help: .yesNo("Whether a newline separates published words; in the original it joins them."))
    public var ngramNewlineSeparates = Self.defaults.ngramNewlineSeparates
    @Option(help: .yesNo("Whether n-grams are compared in lower case."))
    public var ngramLowercase = Self.defaults.ngramLowercase
    @Option(
        help: """
            A folder with a sentence encoder (sentence-transformers' layout, or an encoder alone; see Docs/models.md), for the metrics of \
            embeddings.
            """, completion: .directory)
    public var embeddingModel: String?
    @Option(
        help: """
            A text that is put before every text that the sentence encoder reads, instead of its folder's default prompt.
            """)
    public var embeddingPrompt: String?
    @Option(help: "The same by its name among the prompts of the folder; none for no prompt.")
    public var embeddingPromptName: String?
    @Option(
        help: "How many channels of an embedding are kept, the first ones (Matryoshka); unless given, as many as the folder says.")
    public var embeddingDimension: Int?
    @Option(
        help: """
            A folder with a classifier of natural language inference, such as roberta-large-mnli or a DeBERTa-v3, for the nli metrics.
            """, completion: .directory)
    public var nliModel: String?
    @Option(
        help: """
            What the logits of that classifier are, in their order, where its config.json does not name them: \
            contradiction,neutral,entailment in any order.
            """)
    public var nliLabels = ArgumentList(Self.defaults.nliLabels)
    @Option(help: "Pairs of a set that are judged at most, drawn at random; 0 for all. A set of 32 has 496 pairs.")
    public var nliPairs = Self.defaults.nliPairs
    @Option(help: "Sentences of a pair that nli_sample_from_sim draws at most.")
    public var nliSamples = Self.defaults.nliSamples
    @Option(
        help: .yesNo(
            "Computes the nli metrics in the original's form: top label only, inverted, characters for sentences."))
    public var nliReferenceForm = Self.defaults.nliReferenceForm
    @Option(
        help: """
            The least reward that is good enough, for pass_at_k and effective_semantic_diversity; of two systems, the loss of diversity is \
            parted into what leaving out worse answers would lose and the rest.
            """)
    public var qualityThreshold: Double?
    @Option(
        help: """
            When two answers say the same: ngrams (overlap of words), embeddings, entailment (both ways), classifier, or best, the last of \
            them that there is a model for.
            """)
    public var equivalence = Self.defaults.equivalence
    @Option(
        help: """
            Above what overlap (0.458 unless given), cosine (0.8) or probability (0.102) two answers say the same; with --equivalence.
            """)
    public var equivalenceThreshold: Double?
    @Option(
        help: """
            A folder with a classifier of whether two answers say the same, such as deberta-v3-large-generation-similarity of NoveltyBench.
            """, completion: .directory)
    public var similarityModel: String?
    @Option(help: .yesNo("Whether entailment is asked for between answers behind their inputs, for short inputs."))
    public var entailmentWithInput = Self.defaults.entailmentWithInput
    @Option(help: "k of distinct_k, utility_k, pass_at_k and best_reward_at_k; unless given, all answers to an input.")
    public var atK: Int?
    @Option(help: "How probable it is that a reader of utility_k reads on after an answer.")
    public var utilityPatience = Self.defaults.utilityPatience
    @Option(
        help: """
            Thresholds that turn rewards into whole numbers from 1 on for utility_k, which else takes rewards as they are.
            """)
    public var utilityLevels = ArgumentList(Self.defaults.utilityLevels)
    @Option(help: "When an answer covers a reference: rouge-l (F of at least --coverage-threshold), or equivalence.")
    public var coverageBy = Self.defaults.coverageBy
    @Option(help: "The least ROUGE-L F at which an answer covers a reference.")
    public var coverageThreshold = Self.defaults.coverageThreshold
    @Option(
        help:
            "The URL of an embedding service of OpenAI's form, for openai_from_sim; its key is read from OPENAI_API_KEY."
    )
    public var embeddingServiceUrl: String?
    @Option(help: "The model that the embedding service is asked for.")
    public var embeddingServiceModel = Self.defaults.embeddingServiceModel
    @Option(help: "Texts of a request to the embedding service.")
    public var embeddingServiceBatchSize = Self.defaults.embeddingServiceBatchSize
    @Option(help: "Seconds until a request to the embedding service counts as failed.")
    public var embeddingServiceTimeout = Self.defaults.embeddingServiceTimeout
    @Option(help: "How often a request is tried before its texts are left out and counted.")
    public var embeddingServiceAttempts = Self.defaults.embeddingServiceAttempts
    @Option(help: "Resamples of bootstrap intervals.")
    public var bootstrapResamples = Self.defaults.bootstrapResamples

    @Option(
        help: .yesNo(
            "Whether NLI metrics are inverted and take characters for sentences, and limits count inputs and samples, as in the original."
        ))
    public var referenceCompatible = Self.defaults.referenceCompatible

    public init() {}

    /// Options of the original that have no meaning here.
    public static var ignored: [IgnoredOption] {
        [
            IgnoredOption("no-table-ids", .boolean, "tables are known by their names alone (--table-name)"),
            IgnoredOption(
                "model-name", .value, "texts are measured that exist already; encoders are named by --embedding-model"),
        ]
    }

    public func validate() throws {
        try validateSettings()
        // before anything of a run is written: an address may hold what must not be stored
        guard let embeddingServiceUrl else { return }
        do {
            _ = try ServiceAddress(embeddingServiceUrl)
        } catch {
            throw ValidationError("--embedding-service-url \(error)")
        }
    }
}
