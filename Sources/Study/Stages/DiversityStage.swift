import Data
import Diversity
import Eval
internal import Formats
public import Foundation
public import Runs
import Tensor
import Train

/// Measures the diversity of outputs and writes diversity.json, diversity.csv and a table on the terminal. A second system, or
/// out-of-distribution tables, are measured in the same way and compared.
public struct DiversityStage: Stage {
    /// The outputs to measure, and the metrics.
    public var options = DiversitySettings()
    /// The run folder, seed and threads.
    public var run = RunSettings()

    /// The defaults.
    public init() {}

    /// The kind of run that is recorded in the run folder.
    public static let kind = RunStage.diversity
    /// The name of the command-line program.
    public static let program = "calculate-diversity"
    /// Yes.
    public static let usesRanks = true
    /// All groups of settings.
    public static var groups: [SettingsGroup<DiversityStage>] { [.init(\.options), .init(\.run)] }

    /// Checks every group, and that no setting is without effect.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        try validateGroups()
        try run.refuseWeightFormats()
    }

    /// Measures the diversity of the outputs and writes the results.
    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let systems = try self.systems()
        let config = try options.configuration(seed: run.seed, kinds: environment.diversityMetrics).comparing(systems)
        let models = try options.models(service: environment.embeddingService)
        let session = try RunSession(self, in: folder, environment)
        guard try session.begins() else { return }
        try session.collective.requireSame(Self.fingerprint(of: systems), what: "the set of outputs")
        if let note = try noteOfRewards() { session.say(note) }
        if options.decodes != nil, !options.runIds.isEmpty { session.say("--run-ids is ignored, because --decodes is given") }
        for note in (models.encoder as? FolderSentenceEncoder)?.notes ?? [] { session.say(note) }
        let entailment = models.entailment as? FolderEntailmentModel
        for line in entailment?.notes ?? [] { session.say("\(entailment?.name ?? ""): \(line)") }
        let similarity = models.similarity as? FolderSimilarityModel
        for line in similarity?.notes ?? [] { session.say("\(similarity?.name ?? ""): \(line)") }
        let results = try DiversityMeasurement.run(
            systems, config: config, models: models.divided(among: session.collective), kinds: environment.diversityMetrics,
            options: .init(textMetrics: options.textMetrics ? environment.textMetrics : [], bestOfNCurve: options.bestOfNCurve))
        try session.finish(stage: "diversity", values: results.flatValues) { folder in
            for file in results.files {
                try AtomicFile.write(ResultJSON.text(of: file.value), to: folder.appendingPathComponent(file.name + ".json"))
                try AtomicFile.write(file.csv, to: folder.appendingPathComponent(file.name + ".csv"))
            }
        }
        session.show(results.text)
        var skipped: Set<String> = []
        for report in results.parts.map(\.report) {
            for name in report.withoutModel where skipped.insert(name).inserted {
                session.say("\(name) was skipped: it needs \(report.needs?[name] ?? "a model that was not given")")
            }
        }
    }

    /// A hash of all texts, by which ranks notice that they have read different files.
    private static func fingerprint(of systems: [DiversitySystem]) -> String {
        var hash = FNV128()
        for source in systems.flatMap({ [$0.outputs] + ($0.outOfDistribution.map { [$0] } ?? []) }) {
            for group in source.input.groups {
                hash.add(text: group.input)
                for output in group.outputs { hash.add(text: output.text) }
            }
        }
        return hash.digits
    }

    /// A warning where the runs that are compared were scored by different rewards.
    private func noteOfRewards() throws -> String? {
        let folder = URL(fileURLWithPath: run.outputDir, isDirectory: true)
        let runs = try (options.runIds + options.compareRunIds).map { try RunFolder.run(named: $0, in: folder) }
        guard let first = runs.first, let base = try SampleReward(ofSamples: first) else { return nil }
        for other in runs.dropFirst() {
            guard let reward = try SampleReward(ofSamples: other), try reward.differs(from: base) else { continue }
            return "\(first.path) was scored by \(base), \(other.path) by \(reward): metrics that use rewards compare different scales"
        }
        return nil
    }

    /// The outputs that the options name: one system, one system in and out of distribution, or several systems.
    private func systems() throws -> [DiversitySystem] {
        let (tables, runs) = (options.tableName, options.runIds)
        func source(_ name: String, _ decodes: String?, _ runs: [String], _ tables: [String], isSecond: Bool = false) throws
            -> DiversitySource
        {
            DiversitySource(
                name,
                try input(
                    decodes, runs, tables, isSecond ? "--compare-run-ids" : "--run-ids", isSecond ? "--compare-decodes" : "--decodes"),
                place: place(decodes, runs, tables))
        }
        let own = options.hasSecondSystem ? runs : tables
        let first = try source(options.decodes ?? own.joined(separator: ", "), options.decodes, runs, tables)
        if options.hasSecondSystem {
            let others = options.compareRunIds
            if options.compareEach {
                return [DiversitySystem(first)] + (try others.map { DiversitySystem(try source($0, nil, [$0], tables, isSecond: true)) })
            }
            let name = options.compareDecodes ?? others.joined(separator: ", ")
            return [
                DiversitySystem(first),
                DiversitySystem(try source(name, options.compareDecodes, others, tables, isSecond: true)),
            ]
        }
        let outside = options.oodTableName
        guard !outside.isEmpty else { return [DiversitySystem(first)] }
        return [
            DiversitySystem(first, outOfDistribution: try source(outside.joined(separator: ", "), nil, runs, outside))
        ]
    }

    private func place(_ decodes: String?, _ runIds: [String], _ tables: [String]) -> String {
        decodes ?? "\(runIds.joined(separator: ", ")), table \(tables.joined(separator: ", "))"
    }

    private func input(
        _ decodes: String?, _ runIds: [String], _ tables: [String], _ runOption: String, _ fileOption: String
    ) throws -> DiversityInput {
        if let decodes { return try DiversityInput(contentsOf: URL(fileURLWithPath: decodes)) }
        guard !runIds.isEmpty, !tables.isEmpty else {
            throw InvalidSetting(
                "name the runs to measure with \(runOption) and their tables with --table-name, or a file with \(fileOption)"
            )
        }
        let folder = URL(fileURLWithPath: run.outputDir, isDirectory: true)
        let rows = try runIds.flatMap { id in
            let run = try RunFolder.run(named: id, in: folder, expecting: [.bestOfN] + RunStage.languageModels)
            // a finished measurement is not repeated, so its tables must be complete
            guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
            return try tables.map { try Tables.read($0, inRun: run) }
        }
        return DiversityInput(
            tables: rows, maximumTables: options.maxTables, countsSamples: options.referenceCompatible)
    }
}
