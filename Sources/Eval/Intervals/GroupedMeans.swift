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

/// Statistics of values that carry a label: a split, a subreddit, a section.
public enum GroupedMeans {
    /// One summary for each label. Groups are summarised in the labels' sorted order, so the result is a function of the
    /// rows as a set and of the generator.
    ///
    /// - Parameters:
    ///   - values: one number per row.
    ///   - labels: the group of each row.
    public static func summaries(
        of values: [Double], by labels: [String], resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) -> [String: GroupSummary] {
        precondition(values.count == labels.count, "\(values.count) values but \(labels.count) labels")
        var groups: [String: [Double]] = [:]
        for (value, label) in zip(values, labels) { groups[label, default: []].append(value) }
        var summaries: [String: GroupSummary] = [:]
        for (label, members) in groups.sorted(by: { $0.key < $1.key }) {
            summaries[label] = GroupSummary(of: members, resamples: resamples, using: &generator)
        }
        return summaries
    }

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
