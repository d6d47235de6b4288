public import ArgumentParser
public import Report

/// Which answers are written for other programs, and how.
public struct ExportOptions: SettingsOptions {
    public typealias Values = ExportSettings

    @Option(help: "Answers to export: a run or RUN:TABLE. A run is named by ID or path.")
    public var export: String
    @Option(help: "Table to export. It is used if --export names a run without a table.")
    public var tableName = Self.defaults.tableName
    @Option(
        help: """
            Format: alpaca_eval or jsonl. The first is a JSON array of objects with instruction, output, generator and dataset; the second \
            has one such object per line.
            """)
    public var format = Self.defaults.format
    @Option(help: "Output file.", completion: .file())
    public var exportOutput: String
    @Option(help: "Name of the system in the output. Default: the run's ID.")
    public var generator: String?
    @Option(help: "Name of the data set in the output. Default: the run's data set.")
    public var datasetName: String?
    @Option(
        help: """
            Template that the prompts were made with. It has {post} once in place of the instruction; the text at {post} is exported. \
            Default: Alpaca's formats.
            """)
    public var promptTemplate: String?

    public init() {}
}
