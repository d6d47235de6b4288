public import Study
/// Which rows an index keeps, and where it is written.
public struct IndexSettings: Settings {
    /// The JSON file: an index for `datasetStructuredSubset` sentiment.
    public var indexOutput: String = ""
    /// What is scored: posts, or comparisons, whose rows are others.
    public var indexOf = "posts"
    /// The share of each split's rows that the index keeps, those that score highest.
    public var indexShare = 0.5
    /// A folder for the scores of all rows, one .npy file a split.
    public var indexScores: String?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard ["posts", "comparisons"].contains(indexOf) else {
            throw InvalidSetting("--index-of is '\(indexOf)'; it takes posts or comparisons")
        }
        guard indexShare > 0, indexShare < 1 else { throw InvalidSetting("--index-share must be between 0 and 1") }
    }
}
