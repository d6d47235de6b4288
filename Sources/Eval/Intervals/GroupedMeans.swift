/// Count, mean with interval, median and spread of one group of numbers.
public struct GroupSummary: Codable, Sendable, Equatable {
    /// How many values the group has.
    public var count: Int
    /// Mean with its 95 % bootstrap interval.
    public var mean: Interval
    /// Median.
    public var median: Double
    /// Population standard deviation.
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
    /// The generalisation gap: mean in distribution minus mean out of distribution, the two sets resampled independently.
    ///
    /// Positive: the quantity is larger in distribution.
    public static func generalisationGap(
        inDistribution: [Double], outOfDistribution: [Double], resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) -> Interval {
        Bootstrap.difference(inDistribution, outOfDistribution, resamples: resamples, using: &generator)
    }
}
