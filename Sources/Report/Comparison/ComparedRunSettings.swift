public import Study
/// The runs of one pipeline, and where their comparison is written.
public struct ComparedRunSettings: Settings {
    /// The supervised run.
    public var sftRun: String?
    /// The reward model's run.
    public var rmRun: String?
    /// The run of PPO; there may be one of preference optimisation in its place, or beside it.
    public var ppoRun: String?
    /// The run of direct preference optimisation.
    public var preferenceRun: String?
    /// The best-of-N run of the supervised model; its samples stand for the supervised model itself.
    public var sftSamplesRun: String?
    /// The best-of-N run of the policy after PPO.
    public var ppoSamplesRun: String?
    /// The best-of-N run of the policy after preference optimisation.
    public var preferenceSamplesRun: String?
    /// The folder for summary.json, summary.md and summary.svg.
    public var summaryDir = "."
    /// Seconds since the pipeline began, for the summary.
    public var totalSeconds: Double?
    /// What the hidden judge takes off a summary of twice the reference's length.
    public var lengthWeight = 0.2
    /// A folder with a sentence encoder; without one there is no diversity of embeddings.
    public var embeddingModel: String?

    /// The defaults.
    public init() {}
}
