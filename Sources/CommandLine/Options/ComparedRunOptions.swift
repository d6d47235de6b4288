public import ArgumentParser
public import Report

/// The runs of one pipeline, and where their comparison is written.
public struct ComparedRunOptions: SettingsOptions {
    public typealias Values = ComparedRunSettings

    @Option(help: "Supervised fine-tuning (SFT) run. Required.")
    public var sftRun: String?
    @Option(help: "Run of the reward model. Required.")
    public var rmRun: String?
    @Option(help: "Run of train-ppo. A comparison needs this, --preference-run, or both.")
    public var ppoRun: String?
    @Option(help: "Run of train-preference. A comparison needs this, --ppo-run, or both.")
    public var preferenceRun: String?
    @Option(help: "Best-of-N run on the model of --sft-run. Required. Its single samples are used to measure the supervised model itself.")
    public var sftSamplesRun: String?
    @Option(help: "Best-of-N run on the policy of --ppo-run. Required with it.")
    public var ppoSamplesRun: String?
    @Option(help: "Best-of-N run on the policy of --preference-run. Required with it.")
    public var preferenceSamplesRun: String?
    @Option(
        help: "Folder for summary.json, .md and .svg. Default: --output-dir, where rlhf-report html finds them.", completion: .directory)
    public var summaryDir: String?
    @Option(
        help: """
            Seconds since the pipeline began. They are wall-clock seconds for the summary; the sum of the stages is used if it is larger. \
            Default: none.
            """)
    public var totalSeconds: Double?
    @Option(help: "Length penalty of the hidden judge. It is the penalty for a summary twice as long as its reference.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "Folder of a sentence encoder. Default: none; the diversity of embeddings is not measured.", completion: .directory)
    public var embeddingModel: String?

    public init() {}
}
