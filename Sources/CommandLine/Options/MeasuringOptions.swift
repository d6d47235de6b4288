public import ArgumentParser
public import Report

/// Where runs are, and how they are measured.
public struct MeasuringOptions: SettingsOptions {
    public typealias Values = MeasuringSettings

    @Option(help: "Folder of runs, for runs named by ID.", completion: .directory)
    public var outputDir = Self.defaults.outputDir
    @Option(help: "Seed of every random draw.")
    public var seed = Self.defaults.seed
    @Option(help: "Number of CPU threads. Default: all processors.")
    public var threads: Int?
    @Option(help: "YAML or JSON file with values for options. Default: none.", completion: .file())
    public var config: String?

    public init() {}

    /// Options that may stand without a value.
    public static let mayLackValue: Set<String> = ["output-dir"]
}
