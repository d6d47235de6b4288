internal import Formats
public import Foundation
public import Train

/// Writes numbers of a run as a table for spreadsheets, one line for each: `step,metric,value`.
///
/// The long form takes metrics that come later, or only at some steps, without writing the file anew.
public final class MetricsCSV: Tracker {
    /// The file's name in a run folder.
    public static let fileName = "metrics.csv"

    public let name = "metrics.csv"
    private let run: URL
    private var file: AppendOnlyFile?

    /// - Parameter run: the run folder.
    public init(inRun run: URL) { self.run = run }

    private var url: URL { run.appendingPathComponent(Self.fileName) }

    /// Adds the numbers of a step.
    /// - Throws: `FileError`.
    public func handle(_ event: TrainingEvent) throws {
        guard case .measured(let step, let values) = event else { return }
        // metrics.jsonl has this step by now
        guard let file else { return try catchUp(cuttingTo: nil) }
        try file.append(Self.lines(Measurement(step: step, values: values)))
    }

    /// Writes the file anew from `metrics.jsonl`.
    /// - Throws: `FileError`; `RunFolderError.badLine`.
    public func catchUp(cuttingTo step: Int?) throws {
        file = nil
        let hasMetrics = try FileStatus.of(run.appendingPathComponent(MetricsFile.fileName)) != nil
        // where a run goes on, metrics.jsonl has been cut back before
        let measured = hasMetrics ? try MetricsFile.read(inRun: run) : []
        try AtomicFile.write("step,metric,value\n" + measured.map(Self.lines).joined(), to: url)
        file = try AppendOnlyFile(url)
    }

    /// One line for each number, sorted by name.
    static func lines(_ measurement: Measurement) -> String {
        measurement.values.sorted { $0.key < $1.key }.filter { $0.value.isFinite }.map { name, value in
            "\(measurement.step),\(field(name)),\(value)\n"
        }.joined()
    }

    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
