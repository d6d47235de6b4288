import Data
public import Study

/// Which answers to export for other programs, and how.
public struct ExportSettings: Settings {
    /// The answers to export: a run, by ID or path, or one of its tables, as `RUN:TABLE`.
    public var export: String = ""
    /// The table to export if `export` names a run without a table.
    public var tableName = "test"
    /// The format: `alpaca_eval` (a JSON array of objects with instruction, output, generator and dataset) or `jsonl` (one such
    /// object per line).
    public var format = "alpaca_eval"
    /// The output file.
    public var exportOutput: String = ""
    /// The name of the system in the output. Default: the run's ID.
    public var generator: String?
    /// The name of the data set in the output. Default: the run's data set.
    public var datasetName: String?
    /// The template that the prompts were made with, with `{post}` once in place of the instruction. The text at `{post}` is
    /// exported. Default: Alpaca's formats.
    public var promptTemplate: String?

    /// The defaults.
    public init() {}

    /// Checks that the format exists and that the template contains `{post}` exactly once.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard ExportFormat.named(format) != nil else {
            throw InvalidSetting(
                "--format is '\(format)'; it takes \(ExportFormat.builtIn.map(\.name).joined(separator: " or "))")
        }
        if let promptTemplate, promptTemplate.split(separator: "{post}", omittingEmptySubsequences: false).count != 2 {
            throw InvalidSetting("--prompt-template takes a text with exactly one {post}, such as 'Question: {post}\\nAnswer:'")
        }
    }
}
