public import ArgumentParser
public import Report

/// The folder of an experiment, and how it is measured.
public struct ExperimentOptions: SettingsOptions {
    public typealias Values = ExperimentSettings

    @Option(
        help: """
            A folder of folders seed-…, each with the runs sft, rm, bon, and samples-… of policies; experiment.md and \
            experiment.json are written into it.
            """, completion: .directory)
    public var experimentDir: String
    @Option(help: "What the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "A folder with a sentence encoder; without one there is no diversity of embeddings.", completion: .directory)
    public var embeddingModel: String?

    public init() {}
}
