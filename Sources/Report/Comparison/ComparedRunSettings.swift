public import Study
/// The runs of one pipeline to compare, and where to write the comparison.
public struct ComparedRunSettings: Settings {
    /// The supervised fine-tuning (SFT) run. Required.
    public var sftRun: String?
    /// The reward model's run. Required.
    public var rmRun: String?
    /// The PPO run. A comparison needs this, `preferenceRun`, or both.
    public var ppoRun: String?
    /// The direct preference optimisation run.
    public var preferenceRun: String?
    /// The best-of-N run on the supervised model. Its single samples are used to measure the supervised model itself.
    public var sftSamplesRun: String?
    /// The best-of-N run on the policy trained with PPO.
    public var ppoSamplesRun: String?
    /// The best-of-N run on the policy trained with preference optimisation.
    public var preferenceSamplesRun: String?
    /// The folder for `summary.json`, `summary.md` and `summary.svg`. Default: the folder of the runs, where `rlhf-report html` finds them.
    public var summaryDir: String?
    /// Wall-clock seconds since the pipeline began, for the summary. The sum of the stages is used if it is larger.
    public var totalSeconds: Double?
    /// The penalty in the gold score for a summary twice as long as its reference.
    public var lengthWeight = 0.2
    /// A folder with a sentence encoder. Default: none, and embedding diversity is not measured.
    public var embeddingModel: String?

    /// The defaults.
    public init() {}
}
