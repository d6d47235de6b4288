public import Study
import Runs
import Formats
import Foundation

/// Metrics of runs over their steps: a table, a picture, and a table of the runs.
public struct MetricHistoryFiles: ReportTask {
    /// Which metrics of which runs, and where they go.
    public var history = HistorySettings()
    /// Where runs are, and how they are measured.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    public static var groups: [SettingsGroup<MetricHistoryFiles>] { [.init(\.history), .init(\.measuring)] }

    public func run(_ listener: ReportListener) throws {
        try validate()
        let runs = URL(fileURLWithPath: measuring.outputDir, isDirectory: true)
        let found = try MetricHistory(
            history.runIds.map { (name: $0, folder: try RunFolder.run(named: $0, in: runs)) }, metrics: history.metrics,
            groupBy: history.groupBy)
        let folder = history.metricsOutput.map { URL(fileURLWithPath: $0, isDirectory: true) } ?? runs
        try Folder.make(folder)
        var files = [("metrics.csv", found.csv), ("metrics.svg", found.svg), ("runs.csv", found.table)]
        if history.groupBy.count == 2 { files.append(("groups.csv", found.groupTable)) }
        for (name, text) in files { try AtomicFile.write(text, to: folder.appendingPathComponent(name)) }
        listener.note("\(folder.path): \(files.map(\.0).joined(separator: ", ")) of \(history.runIds.count) runs")
    }
}
