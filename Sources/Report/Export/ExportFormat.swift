import Formats
import Study

/// A form in which answers are written for another program.
struct ExportFormat: Sendable {
    /// The name by which it is chosen.
    let name: String
    /// The text of a file with some answers.
    let text: @Sendable ([ExportedAnswer]) -> String

    /// A JSON array, as alpaca_eval reads it.
    static let alpacaEval = ExportFormat(name: "alpaca_eval") { answers in
        answers.isEmpty ? "[]\n" : "[\n" + answers.map(\.line).joined(separator: ",\n") + "\n]\n"
    }
    /// JSON lines.
    static let lines = ExportFormat(name: "jsonl") { answers in answers.map { $0.line + "\n" }.joined() }

    static let builtIn = [alpacaEval, lines]

    /// The form of a name, in any spelling.
    static func named(_ name: String) -> ExportFormat? {
        builtIn.first { SettingName.canonical($0.name) == SettingName.canonical(name) }
    }
}

/// One answer of a system.
struct ExportedAnswer: Equatable {
    var instruction: String
    var output: String
    var generator: String
    var dataset: String

    /// The answer as a JSON object on one line.
    var line: String {
        let members = [("instruction", instruction), ("output", output), ("generator", generator), ("dataset", dataset)]
        return "{" + members.map { "\"\($0)\": \(JSONValue.quoted($1))" }.joined(separator: ", ") + "}"
    }
}
