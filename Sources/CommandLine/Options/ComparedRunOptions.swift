public import ArgumentParser
public import Report

/// The runs of one pipeline, and where their comparison is written.
public struct ComparedRunOptions: SettingsOptions {
    public typealias Values = ComparedRunSettings

    @Option(help: "The supervised run.")
    public var sftRun: String?
    @Option(help: "The reward model's run.")
    public var rmRun: String?
    @Option(help: "The run of PPO; there may be one of preference optimisation in its place, or beside it.")
    public var ppoRun: String?
    @Option(help: "The run of direct preference optimisation.")
    public var preferenceRun: String?
    @Option(help: "The best-of-N run of the supervised model; its samples stand for the supervised model itself.")
    public var sftSamplesRun: String?
    @Option(help: "The best-of-N run of the policy after PPO.")
    public var ppoSamplesRun: String?
    @Option(help: "The best-of-N run of the policy after preference optimisation.")
    public var preferenceSamplesRun: String?
    @Option(help: "The folder for summary.json, summary.md and summary.svg.", completion: .directory)
    public var summaryDir = Self.defaults.summaryDir
    @Option(help: "Seconds since the pipeline began, for the summary.")
    public var totalSeconds: Double?
    @Option(help: "What the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "A folder with a sentence encoder; without one there is no diversity of embeddings.", completion: .directory)
    public var embeddingModel: String?

    public init() {}
}
