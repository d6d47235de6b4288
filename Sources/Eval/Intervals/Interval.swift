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

extension Interval {
    /// The interval with 0 for what is 0 but for rounding: numbers of at most 1e-12 of the greatest of the values that it was made of.
    ///
    /// A difference of values that are equal but for the order of their sums would else lie on one side of 0.
    /// - Parameter values: what was subtracted from each other.
    package func withoutRounding(of values: some Sequence<Double>) -> Interval {
        let scale = values.reduce(0) { max($0, abs($1)) }
        func rounded(_ number: Double) -> Double { abs(number) <= 1e-12 * scale ? 0 : number }
        return Interval(mean: rounded(mean), low: rounded(low), high: rounded(high))
    }
}

extension Interval: CustomStringConvertible {
    /// `mean [low, high]` with four significant digits each.
    public var description: String {
        "\(Statistics.text(mean)) [\(Statistics.text(low)), \(Statistics.text(high))]"
    }
}
