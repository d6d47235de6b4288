/// Count, mean with interval, median and standard deviation of a group of numbers.
public struct GroupSummary: Codable, Sendable, Equatable {
    /// The number of values in the group.
    public var count: Int
    /// The mean with its 95 % bootstrap interval.
    public var mean: Interval
    /// The median.
    public var median: Double
    /// The population standard deviation.
    public var standardDeviation: Double

    /// Summarises `values`; nil if there are none.
    public init?(of values: [Double], resamples: Int = 2000, using generator: inout some RandomNumberGenerator) {
        guard let median = Statistics.median(of: values), let deviation = Statistics.standardDeviation(of: values)
        else {
            return nil
        }
        count = values.count
        mean = Bootstrap.mean(of: values, resamples: resamples, using: &generator)
        self.median = median
        standardDeviation = deviation
    }
}

/// Differences between groups of values.
public enum GroupedMeans {
    /// The generalisation gap: the in-distribution mean minus the out-of-distribution mean, with the two sets resampled
    /// independently. Both sets need at least one value.
    ///
    /// A positive gap means that the quantity is larger in distribution.
    public static func generalisationGap(
        inDistribution: [Double], outOfDistribution: [Double], resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) -> Interval {
        Bootstrap.difference(inDistribution, outOfDistribution, resamples: resamples, using: &generator)
    }
}
