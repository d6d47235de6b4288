public import ArgumentParser
public import Report

/// The folder of an experiment, and how it is measured.
public struct ExperimentOptions: SettingsOptions {
    public typealias Values = ExperimentSettings

    @Option(
        help: """
            Folder of the experiment. It has folders seed-…, each with the runs sft, rm, bon, and samples-… for each policy; experiment.md \
            and experiment.json are written into it.
            """, completion: .directory)
    public var experimentDir: String
    @Option(help: "Length penalty of the hidden judge. It is the penalty for a summary twice as long as its reference.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "Folder of a sentence encoder. Default: none; the diversity of embeddings is not measured.", completion: .directory)
    public var embeddingModel: String?

    public init() {}
}
