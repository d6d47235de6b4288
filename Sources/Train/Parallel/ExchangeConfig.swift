/// How gradients and values travel among ranks. It changes the time of a step, not its results.
package struct ExchangeConfig: Codable, Sendable, Equatable {
    /// Whether gradients travel during the last backward pass of a step, as soon as they are complete.
    package var overlaps = true
    /// The maximum number of floats that a rank sends to another at once.
    package var bucket = 1 << 20
    /// The number of floats down to which buckets of gradients become smaller, so that there are several of them.
    package var smallestBucket = 1 << 16
    /// The number of buckets that gradients have at least, if they do not become too small. The first one can travel when about that
    /// part of the backward pass is done.
    private static let wantedBuckets = 8

    /// Exchanges during the backward pass, with at most 4 MiB for each pair of ranks at once.
    package init() {}

    /// The number of gradients that a rank sends to another at once.
    /// - Parameter longest: the maximum number of gradients that a rank owns.
    func gradientBucket(longest: Int) -> Int {
        let part = (longest + Self.wantedBuckets - 1) / Self.wantedBuckets
        return max(1, min(bucket, max(smallestBucket, part), longest))
    }
}
