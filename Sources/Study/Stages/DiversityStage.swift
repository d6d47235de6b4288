import Data
import Diversity
import Eval
internal import Formats
public import Foundation
public import Runs
import Tensor
import Train

/// The diversity of sampled outputs: diversity.json, diversity.csv and a table on the terminal. A second system, or tables out of
/// distribution, are measured in the same way and compared.
public struct DiversityStage: Stage {
    /// What is measured, and on which texts.
    public var options = DiversitySettings()
    /// How the run goes.
    public var run = RunSettings()

    /// The defaults.
    public init() {}

    public static let kind = RunStage.diversity
    public static let program = "calculate-diversity"
    public static var groups: [SettingsGroup<DiversityStage>] { [.init(\.options), .init(\.run)] }

    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let sources = try self.sources()
        var config = try options.configuration(seed: run.seed)
        if config.commonLength == nil, sources.count > 1 {
            // one length for all that is compared
            let texts = try sources.flatMap { try $0.input.selecting(config).groups.flatMap { $0.outputs.map(\.text) } }
            config.commonLength = LengthControl.commonLength(of: texts)
        }
        let models = try options.models(service: environment.embeddingService)
        let session = try RunSession(self, in: folder, environment)
        guard try session.begins() else { return }
        for note in (models.encoder as? FolderSentenceEncoder)?.notes ?? [] { session.say(note) }
        let entailment = models.entailment as? FolderEntailmentModel
        for line in entailment?.notes ?? [] { session.say("\(entailment?.name ?? ""): \(line)") }
        let reports = try sources.map { source in
            try source.naming { try DiversityMeasurement.run(source.input, config: config, models: models) }
        }
        let results = try Results(
            sources: sources, reports: reports, isGap: !options.hasSecondSystem, options: options, config: config)
        try session.finish(stage: "diversity", values: results.flatValues) { try results.write(to: $0) }
        session.show(results.text)
        for name in reports[0].withoutModel { session.say("\(name) was left out: it needs a model that was not given") }
    }

    /// What is measured under one name.
    struct Source {
        /// For headings.
        var name: String
        /// For errors: the file, or the runs and their tables.
        var place: String
        /// What its files' names end with.
        var suffix: String
        var input: DiversityInput

        /// Puts the source to what `body` misses in it.
        func naming<Result>(_ body: () throws -> Result) throws -> Result {
            do {
                return try body()
            } catch let error as DiversityError {
                switch error {
                case .rewardsMissing, .rewardNotFinite: throw DiversityError.inSource(place, error)
                default: throw error
                }
            }
        }
    }

    /// The outputs that the options name: one system, or two things that are compared.
    private func sources() throws -> [Source] {
        let tables = options.tableName
        var sources = [
            Source(
                name: options.decodes ?? tables.joined(separator: ", "), place: place(options.decodes, options.runIds, tables),
                suffix: "",
                input: try input(options.decodes, options.runIds, tables, "--run-ids", "--decodes"))
        ]
        if options.hasSecondSystem {
            let runs = options.compareRunIds
            sources[0].name = options.decodes ?? options.runIds.joined(separator: ", ")
            sources.append(
                Source(
                    name: options.compareDecodes ?? runs.joined(separator: ", "), place: place(options.compareDecodes, runs, tables),
                    suffix: "_compared",
                    input: try input(options.compareDecodes, runs, tables, "--compare-run-ids", "--compare-decodes")))
        } else if !options.oodTableName.isEmpty {
            let tables = options.oodTableName
            sources.append(
                Source(
                    name: tables.joined(separator: ", "), place: place(nil, options.runIds, tables), suffix: "_ood",
                    input: try input(nil, options.runIds, tables, "--run-ids", "--decodes")))
        }
        return sources
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
            let run = try RunFolder.run(named: id, in: folder, expecting: [.bestOfN, .policy, .supervised])
            // what is measured is stored as complete: tables that still grow would never be measured again
            guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
            return try tables.map { try Tables.read($0, inRun: run) }
        }
        return DiversityInput(
            tables: rows, maximumTables: options.maxTables, countsSamples: options.referenceCompatible)
    }
}

extension DiversityStage {
    /// What a measurement leaves behind.
    struct Results {
        private let sources: [Source]
        private let reports: [DiversityReport]
        private let isGap: Bool
        private var comparison: DiversityComparison?
        private var curves: [BestOfNCurve] = []
        private var texts: TextReport?

        init(
            sources: [Source], reports: [DiversityReport], isGap: Bool, options: DiversitySettings,
            config: DiversityConfig
        ) throws {
            self.sources = sources
            self.reports = reports
            self.isGap = isGap
            if reports.count > 1 {
                comparison =
                    try isGap
                    ? DiversityComparison(inDistribution: reports[0], outOfDistribution: reports[1])
                    : DiversityComparison(reports[0], reports[1])
            }
            var random = Philox(seed: config.seed).split("texts")
            let inputs = try sources.map { try $0.input.selecting(config) }
            if options.bestOfNCurve {
                curves = try zip(sources, inputs).map { source, input in
                    try source.naming { try BestOfNCurve(input, resamples: config.resamples, using: &random) }
                }
            }
            if options.textMetrics {
                texts = TextReport(
                    zip(sources, inputs).map { source, input in
                        (
                            name: source.name,
                            inputs: input.groups.map { $0.measured(asReferences: config.useReferences) }
                        )
                    }, comparing: reports.count < 2 ? .none : isGap ? .gap : .paired, resamples: config.resamples,
                    using: &random)
            }
        }

        private var comparisonName: String { isGap ? "gap" : "difference" }

        func write(to folder: URL) throws {
            func write(_ name: String, _ value: some Encodable, csv: String) throws {
                try AtomicFile.write(ResultJSON.text(of: value), to: folder.appendingPathComponent(name + ".json"))
                try AtomicFile.write(csv, to: folder.appendingPathComponent(name + ".csv"))
            }
            for (source, report) in zip(sources, reports) {
                try write("diversity" + source.suffix, report, csv: DiversityTable.csv(report))
            }
            for (source, curve) in zip(sources, curves) {
                try write("best_of_n" + source.suffix, curve, csv: DiversityTable.csv(curve))
            }
            if let comparison { try write(comparisonName, comparison, csv: DiversityTable.csv(comparison)) }
            if let texts { try write("texts", texts, csv: texts.csv) }
        }

        /// All numbers that metrics.jsonl gets: those of the first source, and the differences.
        var flatValues: [String: Double] {
            var flat = reports[0].flatValues
            for entry in comparison?.metrics ?? [] {
                flat["\(comparisonName)_per_input_" + entry.name] = entry.perInput?.mean
                flat["\(comparisonName)_across_input_" + entry.name] = entry.acrossInputs?.mean
                flat["\(comparisonName)_overall_" + entry.name] = entry.overall
            }
            for (name, summary) in texts?.groups.first?.metrics ?? [:] {
                flat["average_" + name] = summary.mean.mean
                flat["median_" + name] = summary.median
            }
            if let group = texts?.groups.first {
                if (1..<max(1, group.inputs)).contains(group.withoutReference) {
                    flat["without_reference"] = Double(group.withoutReference)
                }
                if (1..<max(1, group.texts)).contains(group.withoutReward) {
                    flat["without_reward"] = Double(group.withoutReward)
                }
            }
            for (name, interval) in texts?.gap ?? texts?.pairedDifference ?? [:] {
                flat["\(comparisonName)_" + name] = interval.mean
            }
            return flat
        }

        /// For the terminal.
        var text: String {
            var parts: [String] = []
            for (source, report) in zip(sources, reports) {
                parts.append((sources.count > 1 ? source.name + "\n" : "") + DiversityTable.text(report))
            }
            if let comparison {
                let title =
                    isGap
                    ? "generalisation gap: \(sources[0].name) minus \(sources[1].name)"
                    : "difference on the same inputs: \(sources[0].name) minus \(sources[1].name)"
                parts.append(title + "\n" + DiversityTable.text(comparison))
            }
            for (source, curve) in zip(sources, curves) {
                parts.append("best of n, \(source.name)\n" + DiversityTable.text(curve))
            }
            if let texts { parts.append("texts\n" + texts.text) }
            return parts.joined(separator: "\n\n")
        }
    }
}

extension DiversityInput.Group {
    /// The group for text metrics. References that are measured as outputs are not compared with themselves.
    fileprivate func measured(asReferences: Bool) -> TextReport.Input {
        TextReport.Input(
            texts: outputs.map(\.text), reference: asReferences ? nil : reference, rewards: outputs.map(\.reward))
    }
}
