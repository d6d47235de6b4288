public import Study
/// The folder of an experiment, and how it is measured.
public struct ExperimentSettings: Settings {
    /// A folder of folders seed-…, each with the runs sft, rm, bon, and samples-… of policies; experiment.md and experiment.json are
    /// written into it.
    public var experimentDir: String = ""
    /// What the hidden judge takes off a summary of twice the reference's length.
    public var lengthWeight = 0.2
    /// A folder with a sentence encoder; without one there is no diversity of embeddings.
    public var embeddingModel: String?

    /// The defaults.
    public init() {}
}
