public import ArgumentParser
public import Report

/// Where runs are, and how they are measured.
public struct MeasuringOptions: SettingsOptions {
    public typealias Values = MeasuringSettings

    @Option(help: "The folder of runs, for those that are named by id.", completion: .directory)
    public var outputDir = Self.defaults.outputDir
    @Option(help: "Decides every random draw.")
    public var seed = Self.defaults.seed
    @Option(help: "Processors to use; all of them unless given.")
    public var threads: Int?
    @Option(help: "A YAML or JSON file with values for any of these options.", completion: .file())
    public var config: String?

    public init() {}

    /// Options that may stand without a value.
    public static let mayLackValue: Set<String> = ["output-dir"]
}
