import Data
public import Study

/// Which answers are written for other programs, and how.
public struct ExportSettings: Settings {
    /// The answers: a run, by id or path, or one of its tables, `RUN:TABLE`.
    public var export: String = ""
    /// Of a run that is named without a table: the table.
    public var tableName = "test"
    /// The form: alpaca_eval (a JSON array of instruction, output, generator and dataset) or jsonl (the same, one object a line).
    public var format = "alpaca_eval"
    /// The file that is written.
    public var exportOutput: String = ""
    /// What the system is called in it; the run's id unless given.
    public var generator: String?
    /// What the data set is called in it; that of the run unless given.
    public var datasetName: String?
    /// How the prompts were made, with `{post}` for the instruction, where they are not Alpaca's: what stands there is written.
    public var promptTemplate: String?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard ExportFormat.named(format) != nil else {
            throw InvalidSetting(
                "--format is '\(format)'; it takes \(ExportFormat.builtIn.map(\.name).joined(separator: " or "))")
        }
        if let promptTemplate, promptTemplate.split(separator: "{post}", omittingEmptySubsequences: false).count != 2 {
            throw InvalidSetting("--prompt-template takes a text with {post} in it once, such as 'Question: {post}\\nAnswer:'")
        }
    }
}
