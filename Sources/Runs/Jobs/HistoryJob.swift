public import ArgumentParser
import Formats
import Foundation

/// Numbers of runs over their steps, as files.
public struct HistoryOptions: ParsableArguments {
    @Option(
        help: """
            Writes these metrics of the --run-ids over their steps: metrics.csv and metrics.svg, and runs.csv, a table of the runs with \
            the options that they differ in.
            """)
    public var metrics: ArgumentList<String> = []
    @Option(help: "The folder that these files are written into; the folder of runs unless given.")
    public var metricsOutput: String?
    @Option(
        help: """
            Options, such as init_kl_coef: runs of the same values make one group of --metrics. Of two, such as \
            model_name,random_subset, groups.csv is a table: rows by the first, columns by the second.
            """)
    public var groupBy: ArgumentList<String> = []

    public init() {}

    /// Whether a history is asked for.
    public var isWanted: Bool { !metrics.values.isEmpty }
}

/// Metrics of runs over their steps: a table, a picture, and a table of the runs.
public struct HistoryJob {
    /// Where the runs are.
    public var run: RunOptions
    /// Which metrics are written, and where to.
    public var options: HistoryOptions
    /// The runs, by id or path.
    public var runIds: [String]

    /// A job; see the properties.
    public init(run: RunOptions, options: HistoryOptions, runIds: [String]) {
        self.run = run
        self.options = options
        self.runIds = runIds
    }

    /// Reads the runs and writes the files.
    /// - Throws: `CommandLineError` for a metric that no run has; `RunFolderError`; `FileError`.
    public func callAsFunction() throws {
        guard !runIds.isEmpty else { throw CommandLineError.invalid("--metrics needs --run-ids, the runs to read") }
        let runs = URL(fileURLWithPath: run.outputDir, isDirectory: true)
        let history = try MetricHistory(
            runIds.map { (name: $0, folder: try RunFolder.run(named: $0, in: runs)) }, metrics: options.metrics.values,
            groupBy: options.groupBy.values)
        let folder = options.metricsOutput.map { URL(fileURLWithPath: $0, isDirectory: true) } ?? runs
        try Folder.make(folder)
        var files = [("metrics.csv", history.csv), ("metrics.svg", history.svg), ("runs.csv", history.table)]
        if options.groupBy.values.count == 2 { files.append(("groups.csv", history.groupTable)) }
        for (name, text) in files { try AtomicFile.write(text, to: folder.appendingPathComponent(name)) }
        Console().say("\(folder.path): \(files.map(\.0).joined(separator: ", ")) of \(runIds.count) runs")
    }
}
