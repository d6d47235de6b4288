/// The numbers that a metric can have; nil where it has no bound.
///
/// An interval that is made from a spread (jackknife, Student's t) knows nothing of the metric and may leave its range, which then cuts it;
/// percentile bootstraps stay inside by themselves.
public struct MetricRange: Codable, Sendable, Equatable {
    /// The least number.
    public var least: Double?
    /// The greatest number.
    public var greatest: Double?

    /// A range; nil for no bound.
    public init(least: Double? = nil, greatest: Double? = nil) {
        self.least = least
        self.greatest = greatest
    }

    /// Every number.
    public static let unbounded = MetricRange()
    /// 0…1.
    public static let share = MetricRange(least: 0, greatest: 1)
    /// 0 and above.
    public static let notNegative = MetricRange(least: 0)

    /// The differences of a number of this range and one of another.
    public func minus(_ other: MetricRange) -> MetricRange {
        MetricRange(
            least: least.flatMap { least in other.greatest.map { least - $0 } },
            greatest: greatest.flatMap { greatest in other.least.map { greatest - $0 } })
    }

    /// The part of an interval that lies in the range; the estimate itself is left where it is.
    public func clamp(_ interval: Interval) -> Interval {
        var result = interval
        if let least { result.low = max(interval.low, min(least, interval.mean)) }
        if let greatest { result.high = min(interval.high, max(greatest, interval.mean)) }
        return result
    }
}
