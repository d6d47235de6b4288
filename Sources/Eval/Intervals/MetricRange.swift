/// The range of values that a metric can take; a bound is nil if there is none.
///
/// Intervals that are computed from a standard error (jackknife, Student's t) may extend beyond the range of the metric and are
/// clamped to it. Percentile bootstrap intervals always lie inside.
public struct MetricRange: Codable, Sendable, Equatable {
    /// The lower bound; nil for none.
    public var least: Double?
    /// The upper bound; nil for none.
    public var greatest: Double?

    /// A range; nil for no bound.
    public init(least: Double? = nil, greatest: Double? = nil) {
        self.least = least
        self.greatest = greatest
    }

    /// All numbers.
    public static let unbounded = MetricRange()
    /// The range 0…1.
    public static let share = MetricRange(least: 0, greatest: 1)
    /// Non-negative numbers.
    public static let notNegative = MetricRange(least: 0)

    /// The range of the difference between a number of this range and a number of another.
    public func minus(_ other: MetricRange) -> MetricRange {
        MetricRange(
            least: least.flatMap { least in other.greatest.map { least - $0 } },
            greatest: greatest.flatMap { greatest in other.least.map { greatest - $0 } })
    }

    /// Clamps the ends of an interval to the range; the estimate is unchanged and stays inside the interval.
    public func clamp(_ interval: Interval) -> Interval {
        var result = interval
        if let least { result.low = max(interval.low, min(least, interval.mean)) }
        if let greatest { result.high = min(interval.high, max(greatest, interval.mean)) }
        return result
    }
}
