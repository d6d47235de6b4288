/// A point estimate and its 95 % confidence interval.
///
/// `mean` is the estimate on the values themselves, not the middle of the resamples, so `low <= mean <= high` holds for
/// a mean of real values but the three need not be symmetric.
public struct Interval: Codable, Sendable, Equatable {
    /// The estimate.
    public var mean: Double
    /// Lower end of the 95 % interval.
    public var low: Double
    /// Upper end of the 95 % interval.
    public var high: Double

    /// An interval from its three numbers.
    public init(mean: Double, low: Double, high: Double) {
        self.mean = mean
        self.low = low
        self.high = high
    }

    /// Whether `value` lies in the interval, its ends included.
    public func contains(_ value: Double) -> Bool {
        low <= value && value <= high
    }
}

extension Interval: CustomStringConvertible {
    /// `mean [low, high]` with four significant digits each.
    public var description: String {
        "\(Statistics.text(mean)) [\(Statistics.text(low)), \(Statistics.text(high))]"
    }
}
