internal import Data
internal import Formats
public import Train

/// Displays some of the texts that a model generates during evaluation.
public final class SampleLog: MetricSink {
    private let count: Int
    private let note: (String) -> Void
    private static let longestText = 400

    /// Creates a log.
    /// - Parameters:
    ///   - count: The number of texts per evaluated split.
    ///   - note: Receives one line for each prompt and each response.
    public init(count: Int, note: @escaping (String) -> Void) { (self.count, self.note) = (count, note) }

    /// Displays the first samples of an evaluation table; ignores other events.
    public func handle(_ event: TrainingEvent) {
        guard case .sampled(let table, let rows) = event, table.hasPrefix("evaluation_") || table.hasPrefix("final_") else { return }
        let step = rows.first?.numbers["step"].map { " at step \(Quantity.grouped($0))" } ?? ""
        for (number, row) in rows.prefix(count).enumerated() {
            note("\(table)\(step), \(number + 1) of \(rows.count): …\(Self.shown(String(row.input.suffix(Self.longestText))))")
            note("  → \(Self.shown(row.response))" + (row.reward.map { " (reward \(Quantity.loss($0)))" } ?? ""))
        }
    }

    /// A text on one line, shortened. Control characters are escaped, so that model output cannot send control sequences to the
    /// terminal.
    private static func shown(_ text: String) -> String {
        let isCut = text.count > longestText
        return OneLine.escaped(text.prefix(longestText)) + (isCut ? "…" : "")
    }
}
