internal import Data
internal import Formats
public import Train

/// The tables whose texts a ``SampleLog`` shows.
public struct LoggedTables: Sendable {
    /// Whether the texts of a table, given by its name, are shown.
    public var contains: @Sendable (_ table: String) -> Bool
    /// Whether an event has all rows of an evaluation. Otherwise a table grows from event to event.
    public var areWhole: Bool

    /// Some tables; see the properties.
    public init(areWhole: Bool = true, _ contains: @escaping @Sendable (_ table: String) -> Bool) {
        (self.areWhole, self.contains) = (areWhole, contains)
    }

    /// The tables of evaluations during training and at its end.
    public static let evaluations = LoggedTables { $0.hasPrefix("evaluation_") || $0.hasPrefix("final_") }
}

/// Displays some of the texts that a model generates: the first ones of each evaluation, or of each table that grows.
public final class SampleLog: MetricSink {
    private let count: Int
    private let tables: LoggedTables
    private let note: (String) -> Void
    /// The number of texts displayed so far of each table that grows.
    private var displayed: [String: Int] = [:]
    private static let longestText = 400

    /// Creates a log.
    /// - Parameters:
    ///   - count: The number of texts per evaluation or table.
    ///   - tables: The tables whose texts are displayed.
    ///   - note: Receives one line for each prompt and each response.
    public init(count: Int, of tables: LoggedTables = .evaluations, note: @escaping (String) -> Void) {
        (self.count, self.tables, self.note) = (count, tables, note)
    }

    /// Displays the first samples of a table; ignores other events.
    public func handle(_ event: TrainingEvent) {
        guard case .sampled(let table, let rows) = event, tables.contains(table) else { return }
        let before = tables.areWhole ? 0 : displayed[table, default: 0]
        let step = rows.first?.numbers["step"].map { " at step \(Quantity.grouped($0))" } ?? ""
        let shown = rows.prefix(max(0, count - before))
        for (number, row) in zip((before + 1)..., shown) {
            let place = tables.areWhole ? "\(number) of \(rows.count)" : "response \(number)"
            note("\(table)\(step), \(place): …\(Self.shown(String(row.input.suffix(Self.longestText))))")
            note("  → \(Self.shown(row.response))" + (row.reward.map { " (reward \(Quantity.loss($0)))" } ?? ""))
        }
        displayed[table] = before + shown.count
    }

    /// A text on one line, shortened. Control characters are escaped, so that model output cannot send control sequences to the
    /// terminal.
    private static func shown(_ text: String) -> String {
        let isCut = text.count > longestText
        return OneLine.escaped(text.prefix(longestText)) + (isCut ? "…" : "")
    }
}
