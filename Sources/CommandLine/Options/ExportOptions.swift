public import ArgumentParser
public import Report

/// Which answers are written for other programs, and how.
public struct ExportOptions: SettingsOptions {
    public typealias Values = ExportSettings

    @Option(help: "The answers: a run, by id or path, or one of its tables, RUN:TABLE.")
    public var export: String
    @Option(help: "Of a run that is named without a table: the table.")
    public var tableName = Self.defaults.tableName
    @Option(
        help: "The form: alpaca_eval (a JSON array of instruction, output, generator and dataset) or jsonl (the same, one object a line).")
    public var format = Self.defaults.format
    @Option(help: "The file that is written.", completion: .file())
    public var exportOutput: String
    @Option(help: "What the system is called in it; the run's id unless given.")
    public var generator: String?
    @Option(help: "What the data set is called in it; that of the run unless given.")
    public var datasetName: String?
    @Option(
        help: """
            How the prompts were made, with {post} for the instruction, where they are not Alpaca's: what stands there is written.
            """)
    public var promptTemplate: String?

    public init() {}
}
