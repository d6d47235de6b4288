public import ArgumentParser
public import Report

/// Which rows an index keeps, and where it is written.
public struct IndexOptions: SettingsOptions {
    public typealias Values = IndexSettings

    @Option(help: "Output file in JSON. It is an index for --dataset-structured-subset sentiment.", completion: .file())
    public var indexOutput: String
    @Option(help: "What to score: posts or comparisons. Their rows are different.")
    public var indexOf = Self.defaults.indexOf
    @Option(
        help: """
            Share of each split's rows that the index keeps. They are those with the highest scores. The share is between 0 and 1, \
            exclusive.
            """)
    public var indexShare = Self.defaults.indexShare
    @Option(help: "Folder for the scores of all rows. It has one .npy file per split. Default: not written.")
    public var indexScores: String?

    public init() {}
}
