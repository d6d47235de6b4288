public import Study
/// The folder of an experiment, and how it is measured.
public struct ExperimentSettings: Settings {
    /// A folder with folders `seed-…`, each with the runs `sft`, `rm` and `bon`, and `samples-…` for each policy.
    /// `experiment.md` and `experiment.json` are written into it.
    public var experimentDir: String = ""
    /// The penalty in the gold score for a summary twice as long as its reference.
    public var lengthWeight = 0.2
    /// A folder with a sentence encoder. Default: none, and embedding diversity is not measured.
    public var embeddingModel: String?

    /// The defaults.
    public init() {}
}
