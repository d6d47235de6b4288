public import ArgumentParser
public import Report
public import Runs

/// The original's way to score with a reward model; `rlhf-report score` is this program's own.
public struct AnalysisOptions: ProgramOptions {
    @Option(
        help: """
            Run to score with --model-name. Instead of training, its tables are scored, as by rlhf-report score --score. Default: none.
            """)
    public var analyseRunId: String?
    @Option(help: "Tables to score with --analyse-run-id. Default: all.")
    public var tableNames: ArgumentList<String> = []

    public init() {}

    /// Other names of options.
    public static let aliases = ["rf-model-dir": "model-name", "table-name": "table-names"]
    /// Options of the original that mean nothing here.
    public static let ignored = [
        IgnoredOption("infer-batch-size", .value, "texts are scored in passes of --tokens-per-pass")
    ]

    /// Scores a run's tables, where that is asked for.
    /// - Parameters:
    ///   - values: all options by name.
    ///   - listener: receives progress and messages.
    /// - Returns: whether it was asked for.
    /// - Throws: as `RowScoring`.
    public func scores(_ values: [String: OptionValue], _ listener: ReportListener) throws -> Bool {
        guard let analyseRunId else { return false }
        var task = try RowScoring(values: values.filter { RowScoring.names.contains($0.key) })
        task.scoring.score = analyseRunId
        task.scoring.tableNames = tableNames.values
        try task.run(listener)
        return true
    }
}
