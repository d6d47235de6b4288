public import ArgumentParser
public import Report

/// Which rows an index keeps, and where it is written.
public struct IndexOptions: SettingsOptions {
    public typealias Values = IndexSettings

    @Option(help: "The JSON file: an index for --dataset-structured-subset sentiment.", completion: .file())
    public var indexOutput: String
    @Option(help: "What is scored: posts, or comparisons, whose rows are others.")
    public var indexOf = Self.defaults.indexOf
    @Option(help: "The share of each split's rows that the index keeps, those that score highest.")
    public var indexShare = Self.defaults.indexShare
    @Option(help: "A folder for the scores of all rows, one .npy file a split.")
    public var indexScores: String?

    public init() {}
}
