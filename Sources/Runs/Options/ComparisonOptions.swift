public import ArgumentParser

/// The runs of one pipeline, and where its comparison is written.
public struct ComparisonOptions: ProgramOptions {
    @Option(help: "Comparison: the supervised run.")
    public var sftRun: String?
    @Option(help: "Comparison: the reward model's run.")
    public var rmRun: String?
    @Option(help: "Comparison: the policy run.")
    public var ppoRun: String?
    @Option(
        help:
            "Comparison: the best-of-N run of the supervised model; its samples stand for the supervised model itself.")
    public var sftSamplesRun: String?
    @Option(help: "Comparison: the best-of-N run of the policy.")
    public var ppoSamplesRun: String?
    @Option(help: "Comparison: the folder for summary.json, summary.md and summary.svg.")
    public var summaryDir: String?
    @Option(help: "Comparison: seconds since the pipeline began, for the summary.")
    public var totalSeconds: Double?
    @Option(help: "Comparison: what the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = 0.2
    @Option(
        help: """
            Experiment: a folder of folders seed-…, each with the runs sft, rm, bon, and samples-… of policies; experiment.md and \
            experiment.json are written into it.
            """)
    public var experimentDir: String?

    public init() {}

    /// Whether a comparison is asked for.
    public var isWanted: Bool { summaryDir != nil }
    /// Whether the table of an experiment is asked for.
    public var isExperimentWanted: Bool { experimentDir != nil }
}
