public import ArgumentParser
import Data
import Diversity
import Foundation

/// What is measured, and on which outputs.
public struct DiversityOptions: ParsableArguments {
    @Option(help: "Runs whose tables are measured: ids below --output-dir, or paths.")
    public var runIds: ArgumentList<String> = []
    @Option(help: "Tables of those runs; test, for example, takes tables/test.jsonl.")
    public var tableName = "test"
    @Option(help: "Instead of runs: a JSON file with a list of objects whose output is a string or a list of strings.")
    public var decodes: String?
    @Option(help: "The metrics, by exact name, or all.")
    public var diversityMetrics: ArgumentList<String> = ["all"]
    @Option(help: "Outputs of each input at most.")
    public var limitOutputs: Int?
    @Option(help: .yesNo("Leaves out the diversity of each input's own outputs."))
    public var noPerInput = false
    @Option(help: .yesNo("Leaves out the diversity of all outputs together."))
    public var noOverallInput = false
    @Option(help: .yesNo("Measures 500 of all outputs together instead of all."))
    public var sampleOverall = false
    @Option(help: .yesNo("Measures the references instead of the outputs."))
    public var useReferences = false
    @Option(help: .yesNo("Cuts all texts to a common length, too."))
    public var lengthControl = false
    @Option(help: "Tables at most.")
    public var maxTables = 16
    @Option(help: "Simulates best-of-N outputs of every input with this N.")
    public var simulateBonForPerInput: Int?
    @Option(help: "Simulated outputs of every input.")
    public var simulateBonForPerInputNOutputs = 32
    @Option(help: "V of the expectation-adjusted metric.")
    public var eadVocabularySize = 50_257
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

    @Option(
        help: .yesNo(
            "Whether metrics with a known slip in the original have it here, too (NLI: inverted, and characters as sentences)."
        ))
    public var referenceCompatible = false

    public init() {}

    /// Options of the original that mean nothing here.
    public static let ignored = [
        IgnoredOption("no-table-ids", .boolean, "tables are files whose names are known"),
        IgnoredOption("model-name", .value, "a run is named by --run-ids"),
    ]
}

extension DiversityOptions {
    /// The models that the options name.
    func models() throws -> DiversityModels {
        DiversityModels(
            encoder: try embeddingModel.map { try FolderSentenceEncoder(URL(fileURLWithPath: $0, isDirectory: true)) },
            remoteEncoder: try embeddingServiceUrl.map { address in
                guard let url = URL(string: address), ["http", "https"].contains(url.scheme) else {
                    throw CommandLineError.invalid("--embedding-service-url '\(address)' is no http address")
                }
                return EmbeddingService(
                    endpoint: url, model: embeddingServiceModel,
                    key: ProcessInfo.processInfo.environment["OPENAI_API_KEY"])
            },
            entailment: try nliModel.map { try FolderEntailmentModel(URL(fileURLWithPath: $0, isDirectory: true)) })
    }
}

/// The diversity of sampled outputs: diversity.json, diversity.csv and a table on the terminal.
public struct DiversityJob {
    public var run: RunOptions
    public var options: DiversityOptions
    /// All options as config.json stores them.
    public var resolved: [String: OptionValue]

    /// A job; see the properties.
    public init(run: RunOptions, options: DiversityOptions, resolved: [String: OptionValue]) {
        self.run = run
        self.options = options
        self.resolved = resolved
    }

    /// Runs the job.
    public func callAsFunction() throws {
        let input = try self.input()
        var config = DiversityConfig()
        config.metrics = options.diversityMetrics.values
        config.limitOutputs = options.limitOutputs
        config.useReferences = options.useReferences
        config.lengthControl = options.lengthControl
        config.maximumTables = options.maxTables
        config.plan.perInput = !options.noPerInput
        config.plan.overall = !options.noOverallInput
        config.plan.overallSample = options.sampleOverall ? 500 : nil
        config.plan.simulatedBestOfN = options.simulateBonForPerInput
        config.plan.simulatedOutputs = options.simulateBonForPerInputNOutputs
        config.vocabularySize = options.eadVocabularySize
        if options.referenceCompatible {
            config.nliScoring = NLIScoring(topLabelOnly: true, inverted: true, appendsPeriod: true)
            config.nliForm = .charactersScaledTwice
        }
        config.seed = run.seed
        if options.nliReferenceForm {
            config.nliScoring = .reference
            config.nliForm = .charactersScaledTwice
        }
        try config.validate()
        let models = try options.models()
        let session = try RunSession(stage: .diversity, program: "calculate-diversity", run: run, options: resolved)
        if session.folder.isFinished { return session.sayFinished() }
        _ = try session.restore()
        let report = try DiversityMeasurement.run(input, config: config, models: models)
        // the result comes last: once it is there, the run counts as complete
        try session.sinks.handle(.measured(step: 0, values: report.flatValues))
        try session.folder.writeResult { folder in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try AtomicFile.write(try encoder.encode(report), to: folder.appendingPathComponent("diversity.json"))
            try AtomicFile.write(DiversityTable.csv(report), to: folder.appendingPathComponent("diversity.csv"))
        }
        try session.sinks.handle(.ended(stage: "diversity", seconds: session.seconds))
        print(DiversityTable.text(report))
        for name in report.withoutModel { session.say("\(name) was left out: it needs a model that was not given") }
    }

    private func input() throws -> DiversityInput {
        if let decodes = options.decodes { return try DiversityInput(contentsOf: URL(fileURLWithPath: decodes)) }
        guard !options.runIds.values.isEmpty else {
            throw CommandLineError.invalid("name the runs to measure with --run-ids, or a file with --decodes")
        }
        let runs = URL(fileURLWithPath: run.outputDir, isDirectory: true)
        let tables = try options.runIds.values.map { id in
            try Tables.read(
                options.tableName,
                inRun: RunFolder.locate(id, in: runs, expecting: [.bestOfN, .policy, .supervised]))
        }
        return DiversityInput(tables: tables, maximumTables: options.maxTables)
    }
}
