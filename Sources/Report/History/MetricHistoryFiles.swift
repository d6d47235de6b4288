public import Study
import Runs
import Formats
import Foundation

/// Writes the metrics of runs over training steps as CSV tables and a picture.
public struct MetricHistoryFiles: ReportTask {
    /// Which metrics of which runs, and the output folder.
    public var history = HistorySettings()
    /// Where runs are stored.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<MetricHistoryFiles>] { [.init(\.history), .init(\.measuring)] }

    /// Writes `metrics.csv`, `metrics.svg` and `runs.csv`, and `groups.csv` if there are two options to group by.
    /// - Throws: `InvalidSetting`; `RunFolderError`; `FileError`.
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
        listener.note("\(folder.path): \(files.map(\.0).joined(separator: ", ")) of \(Counted(history.runIds.count, "run"))")
    }
}
