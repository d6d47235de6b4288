public import ArgumentParser
public import Study

/// Where a run writes, and how it runs.
public struct RunOptions: SettingsOptions {
    public typealias Values = RunSettings

    @Option(help: "The folder that run folders are made in.", completion: .directory)
    public var outputDir = Self.defaults.outputDir
    @Option(help: "The run folder's name in it; unless given sft, rm, ppo, dpo, bon, diversity or preferences, by the program.")
    public var runId: String?
    @Option(help: "What to do with a run that is there already: allow (go on), must (go on or fail), never.")
    public var resume = Self.defaults.resume
    @Option(help: "Decides every random choice of the run.")
    public var seed = Self.defaults.seed
    @Option(help: "Processors to use; all of them unless given.")
    public var threads: Int?
    @Option(help: "What products with weights multiply: f32, or bf16 with f32 sums, which is faster and rounds.")
    public var dtype = Self.defaults.dtype
    @Option(
        help: "Checkpoints to keep, the newest; unless given all of those that come by steps, 2 of those that come by minutes.")
    public var checkpointLimit: Int?
    @Option(help: "Minutes between two checkpoints where their steps are not given; 0 for none.")
    public var checkpointMinutes = Self.defaults.checkpointMinutes
    @Option(help: "The most memory that the run may be expected to need, such as 6G or 800M; what is free unless given.")
    public var memoryLimit: String?
    @Option(help: "A YAML or JSON file with values for any of these options, or another run's config.json.", completion: .file())
    public var config: String?

    public init() {}

    /// Other names of options.
    public static let aliases = ["save-total-limit": "checkpoint-limit"]

    /// Options that the original's commands name without a value.
    public static let mayLackValue: Set<String> = ["output-dir"]
}
