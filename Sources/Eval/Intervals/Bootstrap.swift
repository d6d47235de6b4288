import Tensor

/// Percentile bootstrap intervals (Efron, 1979): units are resampled with replacement, and the 2.5 % and 97.5 % quantiles of
/// the resampled statistic are the ends of the interval.
///
/// Every function takes exactly one number from the given generator and derives all resamples from it, so the same generator
/// state always gives the same interval, for any number of threads. Quantiles are interpolated linearly, as is numpy's default.
public enum Bootstrap {
    /// The mean of `values` with its interval.
    ///
    /// - Parameters:
    ///   - values: one number per independent unit (input, row); at least one.
    ///   - resamples: the number of resamples.
    ///   - generator: source of the resampling seed.
    public static func mean(
        of values: [Double], resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> Interval {
        precondition(!values.isEmpty, "Bootstrap.mean needs at least one value")
        let count = values.count
        let means = resampled(resamples, draws: count, from: SplitMix64(from: &generator)) { random in
            var sum = 0.0
            for _ in 0..<count { sum += values[random.index(below: count)] }
            return sum / Double(count)
        }
        return interval(around: values.reduce(0, +) / Double(count), resampled: means)
    }

    /// The mean of `first[i] − second[i]` with its interval, for two systems measured on the same inputs.
    ///
    /// Pairs are resampled together, so variation that both share cancels. If the interval excludes 0, the systems differ
    /// significantly at the 5 % level. Ends that differ from 0 only by rounding errors are set to 0.
    public static func pairedDifference(
        _ first: [Double], _ second: [Double], resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> Interval {
        precondition(
            first.count == second.count,
            "a paired difference needs equally many values, got \(first.count) and \(second.count)")
        return mean(of: zip(first, second).map { $0 - $1 }, resamples: resamples, using: &generator).withoutRounding(of: first + second)
    }

    /// `mean(first) − mean(second)` with its interval, for two independent sets that are resampled separately.
    public static func difference(
        _ first: [Double], _ second: [Double], resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> Interval {
        precondition(!first.isEmpty && !second.isEmpty, "Bootstrap.difference needs at least one value on each side")
        func resampledMean(_ values: [Double], _ random: inout SplitMix64) -> Double {
            var sum = 0.0
            for _ in 0..<values.count { sum += values[random.index(below: values.count)] }
            return sum / Double(values.count)
        }
        let differences = resampled(resamples, draws: first.count + second.count, from: SplitMix64(from: &generator)) {
            resampledMean(first, &$0) - resampledMean(second, &$0)
        }
        let estimate = first.reduce(0, +) / Double(first.count) - second.reduce(0, +) / Double(second.count)
        return interval(around: estimate, resampled: differences).withoutRounding(of: first + second)
    }

    /// The mean over all values of `groups`, with an interval from resampling whole groups.
    ///
    /// For values that are not independent within a group, such as 16 samples of one input. The statistic is the sum of all
    /// values divided by their number; a resample draws as many groups as there are non-empty ones. Empty groups are ignored,
    /// but at least one group must have a value.
    public static func groupedMean(
        of groups: [[Double]], resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> Interval {
        let sums = groups.filter { !$0.isEmpty }.map { (sum: $0.reduce(0, +), count: Double($0.count)) }
        precondition(!sums.isEmpty, "Bootstrap.groupedMean needs at least one value")
        return statistic(count: sums.count, resamples: resamples, using: &generator) { indices in
            var sum = 0.0
            var count = 0.0
            for i in indices {
                sum += sums[i].sum
                count += sums[i].count
            }
            return sum / count
        }
    }

    /// The mean over groups of each group's mean, with an interval from resampling groups.
    ///
    /// Every group has the same weight, however many values it has: for prompts of which some were answered more often than others. Empty groups
    /// are ignored, but at least one group must have a value.
    public static func meanOfMeans(
        of groups: [[Double]], resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> Interval {
        let means = groups.filter { !$0.isEmpty }.map { [$0.reduce(0, +) / Double($0.count)] }
        return groupedMean(of: means, resamples: resamples, using: &generator)
    }

    /// Any statistic of `count` units with its interval.
    ///
    /// - Parameters:
    ///   - count: the number of units; at least one.
    ///   - resamples: the number of resamples.
    ///   - generator: source of the resampling seed.
    ///   - statistic: the value for a list of unit indices. It is called with `0..<count` for the estimate, then with each
    ///     resample, in which indices may repeat, on several threads at once.
    public static func statistic(
        count: Int, resamples: Int = 2000, using generator: inout some RandomNumberGenerator,
        _ statistic: @Sendable ([Int]) -> Double
    ) -> Interval {
        precondition(count > 0, "a bootstrap needs at least one unit")
        let values = resampled(resamples, draws: count, from: SplitMix64(from: &generator)) { random in
            statistic((0..<count).map { _ in random.index(below: count) })
        }
        return interval(around: statistic(Array(0..<count)), resampled: values)
    }

    /// The statistic of every resample, computed on all threads.
    ///
    /// A resample takes `draws` numbers, and resample r begins after the numbers of the r before it. (With a probability of 10⁻¹⁵ a
    /// draw takes a second number; the next resample then begins with a number that was used.)
    private static func resampled(
        _ resamples: Int, draws: Int, from random: SplitMix64, _ value: (inout SplitMix64) -> Double
    ) -> [Double] {
        [Double](unsafeUninitializedCapacity: resamples) { values, count in
            // each resample writes its own element
            nonisolated(unsafe) let places = values
            Compute.forChunks(resamples, grain: 4_000 / max(1, draws)) { part in
                for resample in part {
                    var own = random.skipping(resample * draws)
                    places.initializeElement(at: resample, to: value(&own))
                }
            }
            count = resamples
        }
    }

    private static func interval(around estimate: Double, resampled: [Double]) -> Interval {
        let sorted = resampled.sorted()
        return Interval(
            mean: estimate,
            low: Statistics.quantile(0.025, ofSorted: sorted) ?? estimate,
            high: Statistics.quantile(0.975, ofSorted: sorted) ?? estimate)
    }
}
