public import ArgumentParser
import Data
import Diversity
import Foundation
import Services

/// What is measured, and on which outputs.
public struct DiversityOptions: ProgramOptions {
    @Option(help: "Runs whose tables are measured: ids below --output-dir, or paths.")
    public var runIds: ArgumentList<String> = []
    @Option(
        help: "Tables of those runs; test, for example, takes tables/test.jsonl. Rows with equal inputs are one input.")
    public var tableName: ArgumentList<String> = ["test"]
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
    public var oodTableName: ArgumentList<String> = []
    @Option(
        help:
            "Runs of a second system on the same inputs: it is measured, too, and the paired difference of every metric reported."
    )
    public var compareRunIds: ArgumentList<String> = []
    @Option(help: "A file of the second system's outputs, as in --decodes.")
    public var compareDecodes: String?
    @Option(help: "The metrics, by exact name, or all.")
    public var diversityMetrics: ArgumentList<String> = ["all"]
    @Option(
        help: .yesNo("Measures texts against their references, too: ROUGE, BLEU, exact match, lengths and rewards."))
    public var textMetrics = false
    @Option(help: "Outputs of each input at most; with --reference-compatible inputs at most, the first by their text.")
    public var limitOutputs: Int?
    @Option(help: .yesNo("Leaves out the diversity of each input's own outputs."))
    public var noPerInput = false
    @Option(help: .yesNo("Leaves out the diversity of one output of each input."))
    public var noAcrossInput = false
    @Option(help: "Draws of one output of each input that are averaged.")
    public var acrossInputDraws = 16
    @Option(help: .yesNo("Leaves out the diversity of all outputs together."))
    public var noOverallInput = false
    @Option(help: .yesNo("Measures a sample of all outputs together instead of all."))
    public var sampleOverall = false
    @Option(help: "Outputs of that sample.")
    public var sampleOverallSize = 500
    @Option(help: .yesNo("Measures the references instead of the outputs."))
    public var useReferences = false
    @Option(help: .yesNo("Adds every metric on texts cut to a common length."))
    public var lengthControl = false
    @Option(help: "That length in words; unless given, one that nine in ten of all texts have.")
    public var commonLength: Int?
    @Option(help: "Tables at most; with --reference-compatible every sample of an input counts as one.")
    public var maxTables = 16
    @Option(
        help:
            "Simulates best-of-N outputs of every input with this N, by drawing, and exactly where a metric allows it.")
    public var simulateBonForPerInput: Int?
    @Option(help: "Simulated outputs of every input.")
    public var simulateBonForPerInputNOutputs = 32
    @Option(
        help: .yesNo("Computes the expected reward and length of the best of n for every n, from the outputs' rewards.")
    )
    public var bestOfNCurve = false
    @Option(help: "V of the expectation-adjusted metric.")
    public var eadVocabularySize = 50_257
    @Option(help: "The order of the Vendi scores: a number from 0, or inf.")
    public var vendiOrder = "1"
    @Option(
        help: """
            What n-grams are made of: published (periods and newlines deleted, split at spaces), whitespace, or unicode-words (runs of \
            letters and digits).
            """)
    public var ngramWords = "published"
    @Option(help: .yesNo("Whether a newline separates published words; in the original it joins them."))
    public var ngramNewlineSeparates = false
    @Option(help: .yesNo("Whether n-grams are compared in lower case."))
    public var ngramLowercase = false
    @Option(
        help:
            "A folder with a sentence encoder (BERT or RoBERTa, sentence-transformers' layout), for the metrics of embeddings."
    )
    public var embeddingModel: String?
    @Option(
        help:
            "A folder with a classifier of natural language inference, such as roberta-large-mnli, for the nli metrics."
    )
    public var nliModel: String?
    @Option(help: "Pairs of a set that are judged at most, drawn at random; 0 for all. A set of 32 has 496 pairs.")
    public var nliPairs = 1000
    @Option(help: "Sentences of a pair that nli_sample_from_sim draws at most.")
    public var nliSamples = 5
    @Option(
        help: .yesNo(
            "Computes the nli metrics in the original's form: top label only, inverted, characters for sentences."))
    public var nliReferenceForm = false
    @Option(
        help:
            "The URL of an embedding service of OpenAI's form, for openai_from_sim; its key is read from OPENAI_API_KEY."
    )
    public var embeddingServiceUrl: String?
    @Option(help: "The model that the embedding service is asked for.")
    public var embeddingServiceModel = "text-embedding-3-small"
    @Option(help: "Texts of a request to the embedding service.")
    public var embeddingServiceBatchSize = 64
    @Option(help: "Seconds until a request to the embedding service counts as failed.")
    public var embeddingServiceTimeout = 60.0
    @Option(help: "How often a request is tried before its texts are left out and counted.")
    public var embeddingServiceAttempts = 5
    @Option(help: "Resamples of bootstrap intervals.")
    public var bootstrapResamples = 2000

    @Option(
        help: .yesNo(
            "Whether NLI metrics are inverted and take characters for sentences, and limits count inputs and samples, as in the original."
        ))
    public var referenceCompatible = false

    public init() {}

    /// Options of the original that have no meaning here.
    public static var ignored: [IgnoredOption] {
        [
            IgnoredOption("no-table-ids", .boolean, "tables are known by their names alone (--table-name)"),
            IgnoredOption(
                "model-name", .value, "texts are measured that exist already; encoders are named by --embedding-model"),
        ]
    }

    /// Words of `--ngram-words` and what they mean.
    private static let splittings: KeyValuePairs<String, NGramTokenisation.Splitting> = [
        "published": .published, "whitespace": .whitespace, "unicode-words": .unicodeWords,
    ]

    public func validate() throws {
        guard compareRunIds.values.isEmpty || compareDecodes == nil else {
            throw ValidationError(
                "--compare-run-ids and --compare-decodes both name the second system; choose one of them")
        }
        guard oodTableName.values.isEmpty || !hasSecondSystem else {
            throw ValidationError(
                "--ood-table-name and a second system (--compare-…) are two comparisons; make them one by one")
        }
        guard oodTableName.values.isEmpty || decodes == nil else {
            throw ValidationError("--ood-table-name names tables of --run-ids; with --decodes there are none")
        }
        guard nliPairs >= 0 else { throw ValidationError("--nli-pairs must not be negative") }
        guard maxTables > 0, bootstrapResamples > 0 else {
            throw ValidationError("--max-tables and --bootstrap-resamples must be above 0")
        }
        guard embeddingServiceBatchSize > 0, embeddingServiceAttempts > 0, embeddingServiceTimeout > 0 else {
            throw ValidationError("batch size, attempts and time-out of the embedding service must be above 0")
        }
        guard embeddingServiceTimeout <= 86_400 else {
            throw ValidationError("--embedding-service-timeout is above 86400 s, a day")
        }
        // before anything of a run is written: an address may hold what must not be stored
        if let embeddingServiceUrl {
            do {
                _ = try ServiceAddress(embeddingServiceUrl)
            } catch {
                throw ValidationError("--embedding-service-url \(error)")
            }
        }
    }

    /// Whether a second system is given.
    var hasSecondSystem: Bool { !compareRunIds.values.isEmpty || compareDecodes != nil }

    /// The measurement that the options describe.
    /// - Throws: `CommandLineError` for a word that is none; `DiversityError` for numbers out of range and unknown metrics.
    func configuration(seed: UInt64) throws -> DiversityConfig {
        var config = DiversityConfig()
        config.metrics = diversityMetrics.values
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
            throw CommandLineError.invalid("--vendi-order is '\(vendiOrder)'; it takes a number from 0, or inf")
        }
        config.vendiOrder = order
        guard let splitting = Self.splittings.first(where: { $0.key == OptionTable.canonical(ngramWords) })?.value
        else {
            let names = Self.splittings.map(\.key).joined(separator: ", ")
            throw CommandLineError.invalid("--ngram-words is '\(ngramWords)'; it takes \(names)")
        }
        config.tokenisation = NGramTokenisation(
            splitting: splitting, newlineSeparates: ngramNewlineSeparates, lowercases: ngramLowercase)
        config.nliPairs = nliPairs == 0 ? nil : nliPairs
        config.nliSamples = nliSamples
        config.resamples = bootstrapResamples
        config.seed = seed
        config.selectsAsOriginal = referenceCompatible
        config.plan.simulatesEverySet = referenceCompatible && simulateBonForPerInput != nil
        if referenceCompatible || nliReferenceForm {
            config.nliScoring = .reference
            config.nliForm = .charactersScaledTwice
        }
        try config.validate()
        return config
    }

    /// The models that the options name.
    func models() throws -> DiversityModels {
        DiversityModels(
            encoder: try embeddingModel.map { try FolderSentenceEncoder(URL(fileURLWithPath: $0, isDirectory: true)) },
            remoteEncoder: try embeddingServiceUrl.map { address in
                var service = EmbeddingService.Options()
                service.batchSize = embeddingServiceBatchSize
                service.timeout = embeddingServiceTimeout
                service.attempts = embeddingServiceAttempts
                return EmbeddingService(
                    address: try ServiceAddress(address), model: embeddingServiceModel,
                    key: try ServiceKey(
                        variable: EmbeddingService.keyVariable, environment: ProcessInfo.processInfo.environment),
                    options: service)
            },
            entailment: try nliModel.map { try FolderEntailmentModel(URL(fileURLWithPath: $0, isDirectory: true)) })
    }
}
