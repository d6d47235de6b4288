import Runs
import Eval

/// A row of a JSONL file with a prompt, `input` or `prompt`, and an answer to it, `response`. All other columns are kept unchanged.
struct ScoredRow: Codable {
    /// The prompt, the answer and, if present and not empty, the reference.
    let request: RewardRequest
    /// All columns of the row.
    private(set) var columns: [String: OptionValue]

    /// The columns that a score must not replace.
    static let ownColumns: Set<String> = [
        "id", "input", "response", "reference", "reward", "tokens", "ended", "kl", "kl_coefficient", "log_prob", "sample", "n", "group",
    ]

    private enum Key: String, CodingKey { case input, prompt, response, reference }

    init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: Key.self)
        request = RewardRequest(
            query: try row.decode(String.self, forKey: row.contains(.input) || !row.contains(.prompt) ? .input : .prompt),
            response: try row.decode(String.self, forKey: .response),
            reference: try row.decodeIfPresent(String.self, forKey: .reference).flatMap { $0.isEmpty ? nil : $0 })
        columns = try [String: OptionValue](from: decoder)
    }

    func encode(to encoder: any Encoder) throws { try columns.encode(to: encoder) }

    /// The row with a score in a column, which is added or replaced.
    func adding(_ score: Double, as column: String) -> ScoredRow {
        var row = self
        row.columns[column] = .number(score)
        return row
    }
}
