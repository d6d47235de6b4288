import Data
import Diversity
import Eval
internal import Formats
import Foundation
import Tensor
import Train

/// The diversity of sampled outputs: diversity.json, diversity.csv and a table on the terminal. A second system, or tables out of
/// distribution, are measured in the same way and compared.
public struct DiversityJob {
    /// Where it writes, and how it runs.
    public var run: RunOptions
    /// What is measured.
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
    /// - Throws: `CommandLineError`; `RunFolderError`; `FileError`; `DataError` and `DiversityError` for what cannot be measured.
    public func callAsFunction() throws {
        let systems = try self.systems()
        let config = try options.configuration(seed: run.seed).comparing(systems)
        let models = try options.models()
        let session = try RunSession(stage: .diversity, program: "calculate-diversity", run: run, options: resolved)
        if try session.folder.isFinished { return session.sayFinished() }
        _ = try session.restore()
        for note in (models.encoder as? FolderSentenceEncoder)?.notes ?? [] { session.say(note) }
        let entailment = models.entailment as? FolderEntailmentModel
        for line in entailment?.notes ?? [] { session.say("\(entailment?.name ?? ""): \(line)") }
        let results = try run.computing {
            try DiversityMeasurement.run(
                systems, config: config, models: models,
                options: .init(textMetrics: options.textMetrics ? TextMetrics.builtIn : [], bestOfNCurve: options.bestOfNCurve))
        }
        // the result comes last: once it is there, the run counts as complete
        try session.sinks.handle(.measured(step: 0, values: results.flatValues))
        try session.folder.writeResult { folder in
            for file in results.files {
                try AtomicFile.write(ResultJSON.text(of: file.value), to: folder.appendingPathComponent(file.name + ".json"))
                try AtomicFile.write(file.csv, to: folder.appendingPathComponent(file.name + ".csv"))
            }
        }
        try session.sinks.handle(.ended(stage: "diversity", seconds: session.seconds))
        print(results.text)
        for name in results.parts[0].report.withoutModel { session.say("\(name) was left out: it needs a model that was not given") }
    }

    /// The outputs that the options name: one system, one system in and out of distribution, or two.
    private func systems() throws -> [DiversitySystem] {
        let (tables, runs) = (options.tableName.values, options.runIds.values)
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
            let others = options.compareRunIds.values
            let name = options.compareDecodes ?? others.joined(separator: ", ")
            return [
                DiversitySystem(first),
                DiversitySystem(try source(name, options.compareDecodes, others, tables, isSecond: true)),
            ]
        }
        let outside = options.oodTableName.values
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
            throw CommandLineError.invalid(
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
