internal import Formats
public import Foundation
public import Train

/// Writes the metrics of a run as a CSV table in long form, one value per line: `step,metric,value`.
///
/// The long form allows metrics that appear later, or only at some steps, without rewriting the file.
public final class MetricsCSV: Tracker {
    /// The file's name in a run folder.
    public static let fileName = "metrics.csv"

    /// The tracker's name, "metrics.csv".
    public let name = "metrics.csv"
    private let run: URL
    private var file: AppendOnlyFile?

    /// Creates the tracker of a run.
    /// - Parameter run: The run folder.
    public init(inRun run: URL) { self.run = run }

    private var url: URL { run.appendingPathComponent(Self.fileName) }

    /// Appends the metrics of a step.
    /// - Throws: `FileError`.
    public func handle(_ event: TrainingEvent) throws {
        guard case .measured(let step, let values) = event else { return }
        // metrics.jsonl already contains this step
        guard let file else { return try catchUp(cuttingTo: nil) }
        try file.append(Self.lines(Measurement(step: step, values: values)))
    }

    /// Rewrites the file from `metrics.jsonl`.
    /// - Throws: `FileError`; `RunFolderError.badLine`.
    public func catchUp(cuttingTo step: Int?) throws {
        file = nil
        let hasMetrics = try FileStatus.of(run.appendingPathComponent(MetricsFile.fileName)) != nil
        // when a run resumes, metrics.jsonl has already been truncated
        let measured = hasMetrics ? try MetricsFile.read(inRun: run) : []
        try AtomicFile.write("step,metric,value\n" + measured.map(Self.lines).joined(), to: url)
        file = try AppendOnlyFile(url)
    }

    /// One line for each finite value, sorted by name.
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
