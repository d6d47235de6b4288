public import Study
/// Which rows an index keeps, and where it is written.
public struct IndexSettings: Settings {
    /// The output file in JSON: an index for `datasetStructuredSubset` sentiment.
    public var indexOutput: String = ""
    /// What to score: `posts` or `comparisons`, whose rows are different.
    public var indexOf = "posts"
    /// The fraction of each split's rows that the index keeps, those with the highest scores. Between 0 and 1, exclusive.
    public var indexShare = 0.5
    /// A folder for the scores of all rows, one `.npy` file per split. Default: not written.
    public var indexScores: String?

    /// The defaults.
    public init() {}

    /// Checks the range of every setting.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard ["posts", "comparisons"].contains(indexOf) else {
            throw InvalidSetting("--index-of is '\(indexOf)'; it takes posts or comparisons")
        }
        guard indexShare > 0, indexShare < 1 else { throw InvalidSetting("--index-share must be between 0 and 1") }
    }
}
