import Formats
import Study

/// A file format for answers that another program reads.
struct ExportFormat: Sendable {
    /// The name by which the format is chosen.
    let name: String
    /// Formats answers as the text of a file.
    let text: @Sendable ([ExportedAnswer]) -> String

    /// A JSON array in the format that alpaca_eval reads.
    static let alpacaEval = ExportFormat(name: "alpaca_eval") { answers in
        answers.isEmpty ? "[]\n" : "[\n" + answers.map(\.line).joined(separator: ",\n") + "\n]\n"
    }
    /// JSON Lines: one object per line.
    static let lines = ExportFormat(name: "jsonl") { answers in answers.map { $0.line + "\n" }.joined() }

    static let builtIn = [alpacaEval, lines]

    /// The format with a name; spelling variants of the name are accepted. Nil if unknown.
    static func named(_ name: String) -> ExportFormat? {
        builtIn.first { SettingName.canonical($0.name) == SettingName.canonical(name) }
    }
}

/// One answer of a system to one instruction.
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
