/// A point estimate and its 95 % confidence interval.
///
/// `mean` is the estimate from the values themselves, not from the resamples, so the interval need not be symmetric about it.
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
    /// Returns the interval with rounding errors set to 0: numbers whose magnitude is at most 1e-12 of the largest magnitude in
    /// `values`.
    ///
    /// Otherwise, a difference of values that are equal except for the order of summation could exclude 0.
    /// - Parameter values: the values from which the difference was computed.
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
