public import ArgumentParser
import Services
public import Study

/// What is measured, and on which outputs.
public struct DiversityOptions: SettingsOptions {
    public typealias Values = DiversitySettings

    @Option(help: "Runs to measure: IDs in --output-dir, or paths.")
    public var runIds = ArgumentList(Self.defaults.runIds)
    @Option(help: "Tables of these runs. For example, test reads tables/test.jsonl. Rows with equal inputs count as one input.")
    public var tableName = ArgumentList(Self.defaults.tableName)
    @Option(
        help: """
            JSON or JSONL file to measure instead of runs. JSON has a list of objects whose output is a string or a list of strings; JSON \
            lines have such objects or the rows of a table. Default: none.
            """)
    public var decodes: String?
    @Option(
        help: """
            Tables with out-of-distribution outputs. They belong to the same runs. They are measured, too, and the gap of every metric is \
            reported.
            """)
    public var oodTableName = ArgumentList(Self.defaults.oodTableName)
    @Option(
        help: """
            Runs of a second system on the same inputs. They are measured, too, and the paired difference of every metric is reported.
            """)
    public var compareRunIds = ArgumentList(Self.defaults.compareRunIds)
    @Option(help: "File of the second system's outputs. It has the format of --decodes. Default: none.")
    public var compareDecodes: String?
    @Option(
        help: .yesNo(
            """
            Compare with each second run separately. Each of --compare-run-ids is then a separate system; otherwise all of them together \
            are one system.
            """))
    public var compareEach = Self.defaults.compareEach
    @Option(help: "Metrics, by exact name, or all.")
    public var diversityMetrics = ArgumentList(Self.defaults.diversityMetrics)
    @Option(help: .yesNo("Compare texts with their references, too. The metrics are ROUGE, BLEU, exact match, lengths and rewards."))
    public var textMetrics = Self.defaults.textMetrics
    @Option(
        help: """
            Maximum number of outputs per input. With --reference-compatible, it is the maximum number of inputs, the first in the order \
            of their texts. Default: all.
            """)
    public var limitOutputs: Int?
    @Option(help: .yesNo("Leave out the diversity per input. It is the diversity among the outputs of each input."))
    public var noPerInput = Self.defaults.noPerInput
    @Option(help: .yesNo("Leave out the diversity across inputs. It takes one output of each input."))
    public var noAcrossInput = Self.defaults.noAcrossInput
    @Option(help: "Random draws for the diversity across inputs. Each draw takes one output per input, and the draws are averaged.")
    public var acrossInputDraws = Self.defaults.acrossInputDraws
    @Option(help: .yesNo("Leave out the diversity of all outputs together."))
    public var noOverallInput = Self.defaults.noOverallInput
    @Option(help: .yesNo("Measure a random sample of all outputs. Otherwise all outputs together are measured."))
    public var sampleOverall = Self.defaults.sampleOverall
    @Option(help: "Outputs in the sample of --sample-overall.")
    public var sampleOverallSize = Self.defaults.sampleOverallSize
    @Option(help: .yesNo("Measure the references instead of the outputs."))
    public var useReferences = Self.defaults.useReferences
    @Option(help: .yesNo("Add every metric on texts of a common length. Texts are truncated to that length."))
    public var lengthControl = Self.defaults.lengthControl
    @Option(help: "Common length in words for --length-control. Default: a length that 90% of all texts reach.")
    public var commonLength: Int?
    @Option(help: "Maximum number of tables. With --reference-compatible, every sample of an input counts as one.")
    public var maxTables = Self.defaults.maxTables
    @Option(
        help: """
            N of simulated best-of-N outputs. For every input, they are simulated by drawing, and exactly for metrics that allow it. \
            Default: no simulation.
            """)
    public var simulateBonForPerInput: Int?
    @Option(help: "Number of simulated outputs per input. They are best-of-N outputs, see --simulate-bon-for-per-input.")
    public var simulateBonForPerInputNOutputs = Self.defaults.simulateBonForPerInputNOutputs
    @Option(
        help: .yesNo(
            """
            Compute the expected reward of the best of n. The expected length is computed, too, for every n, from the outputs' rewards.
            """))
    public var bestOfNCurve = Self.defaults.bestOfNCurve
    @Option(help: "V, the vocabulary size for the EAD metric. EAD is the expectation-adjusted distinct metric.")
    public var eadVocabularySize = Self.defaults.eadVocabularySize
    @Option(help: "Order of the Vendi scores. A number of at least 0, or inf.")
    public var vendiOrder = Self.defaults.vendiOrder
    @Option(
        help: """
            Words that n-grams are made of. One of published (periods and newlines deleted, split at spaces), whitespace or unicode-words \
            (runs of letters and digits).
            """)
    public var ngramWords = Self.defaults.ngramWords
    @Option(help: .yesNo("Separate words at newlines, too. It is for --ngram-words published; in the original code a newline joins them."))
    public var ngramNewlineSeparates = Self.defaults.ngramNewlineSeparates
    @Option(help: .yesNo("Compare n-grams in lower case."))
    public var ngramLowercase = Self.defaults.ngramLowercase
    @Option(
        help: """
            Folder of a sentence encoder. It is for the embedding metrics, and holds sentence-transformers' layout or an encoder alone \
            (see Docs/models.md). Default: none.
            """, completion: .directory)
    public var embeddingModel: String?
    @Option(help: "Prompt for the sentence encoder. It precedes every text. Default: the default prompt in its folder.")
    public var embeddingPrompt: String?
    @Option(
        help: """
            Name of a prompt in the encoder's folder. It selects the prompt in place of --embedding-prompt; none for no prompt. Default: \
            as for --embedding-prompt.
            """)
    public var embeddingPromptName: String?
    @Option(help: "Leading embedding channels to keep (Matryoshka). Default: as the encoder's folder says.")
    public var embeddingDimension: Int?
    @Option(
        help: """
            Folder of an NLI classifier. It is for the nli metrics, for example roberta-large-mnli or a DeBERTa-v3. Default: none.
            """, completion: .directory)
    public var nliModel: String?
    @Option(
        help: """
            Labels of the NLI classifier's logits, in order. They are contradiction, neutral and entailment in any order, separated by \
            commas. They are needed if its config.json does not name them.
            """)
    public var nliLabels = ArgumentList(Self.defaults.nliLabels)
    @Option(help: "Maximum number of pairs judged per set. They are drawn at random; 0 for all. A set of 32 has 496 pairs.")
    public var nliPairs = Self.defaults.nliPairs
    @Option(help: "Maximum number of sentences drawn per pair. It is for nli_sample_from_sim.")
    public var nliSamples = Self.defaults.nliSamples
    @Option(
        help: .yesNo(
            """
            Compute nli metrics as in the original. They use the top label only, are inverted, and take characters for sentences.
            """))
    public var nliReferenceForm = Self.defaults.nliReferenceForm
    @Option(
        help: """
            Least reward of a good answer. It is for pass_at_k and effective_semantic_diversity. For two systems, the loss of diversity is \
            also split into the loss from leaving out worse answers and the rest. Default: none.
            """)
    public var qualityThreshold: Double?
    @Option(
        help: """
            When two answers count as equivalent. One of ngrams (word overlap), embeddings, entailment (in both directions), classifier, \
            or best, which is the last of these for which a model is given.
            """)
    public var equivalence = Self.defaults.equivalence
    @Option(
        help: """
            Threshold of --equivalence. Two answers above it are equivalent. Default: overlap 0.458 (ngrams), cosine 0.8 (embeddings), \
            probability 0.102 (classifier).
            """)
    public var equivalenceThreshold: Double?
    @Option(
        help: """
            Folder of an equivalence classifier. It decides whether two answers are equivalent, for example \
            deberta-v3-large-generation-similarity of NoveltyBench. Default: none.
            """, completion: .directory)
    public var similarityModel: String?
    @Option(help: .yesNo("Put inputs before answers in entailment tests. It is useful for short inputs."))
    public var entailmentWithInput = Self.defaults.entailmentWithInput
    @Option(
        help: """
            k of metrics that depend on k. These are distinct_k, utility_k, pass_at_k and best_reward_at_k. Default: the number of answers \
            to an input.
            """)
    public var atK: Int?
    @Option(help: "Probability that a reader reads on. It is the probability of continuing to the next answer, for utility_k.")
    public var utilityPatience = Self.defaults.utilityPatience
    @Option(help: "Thresholds that map rewards to integers from 1. They are for utility_k, which otherwise uses rewards directly.")
    public var utilityLevels = ArgumentList(Self.defaults.utilityLevels)
    @Option(help: "When an answer covers a reference. Either rouge-l (F of at least --coverage-threshold) or equivalence.")
    public var coverageBy = Self.defaults.coverageBy
    @Option(help: "Least ROUGE-L F to cover a reference. An answer with at least this F covers it.")
    public var coverageThreshold = Self.defaults.coverageThreshold
    @Option(
        help: """
            URL of an embedding service. It has OpenAI's API, and is for openai_from_sim. Its key is read from OPENAI_API_KEY. Default: \
            none.
            """)
    public var embeddingServiceUrl: String?
    @Option(help: "Model of the embedding service.")
    public var embeddingServiceModel = Self.defaults.embeddingServiceModel
    @Option(help: "Texts per request to the embedding service.")
    public var embeddingServiceBatchSize = Self.defaults.embeddingServiceBatchSize
    @Option(help: "Time-out of a request, in seconds. It applies to the embedding service.")
    public var embeddingServiceTimeout = Self.defaults.embeddingServiceTimeout
    @Option(help: "Attempts per request. After these, its texts are left out and counted. It applies to the embedding service.")
    public var embeddingServiceAttempts = Self.defaults.embeddingServiceAttempts
    @Option(help: "Number of resamples for bootstrap intervals.")
    public var bootstrapResamples = Self.defaults.bootstrapResamples

    @Option(
        help: .yesNo(
            """
            Measure as the original code does. NLI metrics are inverted and take characters for sentences, and limits count inputs and \
            samples.
            """))
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
