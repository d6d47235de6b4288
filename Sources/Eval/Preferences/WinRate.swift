/// The rate at which the first of two systems is preferred; ties count as one half.
public struct WinRate: Codable, Sendable, Equatable {
    /// The number of comparisons that the first system won.
    public var wins: Int
    /// The number of comparisons that the first system lost.
    public var losses: Int
    /// The number of ties.
    public var ties: Int
    /// The mean outcome with its 95 % bootstrap interval; `(wins + ties / 2) / comparisons` if all outcomes are 0, 0.5 or 1.
    public var rate: Interval
    /// The standard error of the rate: the sample standard deviation of the outcomes divided by the square root of their
    /// number.
    public var standardError: Double

    /// Summarises the outcomes of comparisons.
    ///
    /// - Parameters:
    ///   - outcomes: one number in 0…1 per comparison: 1 if the first system won, 0 if it lost, 0.5 for a tie. Other values are
    ///     averages of several judgements; they count as wins above one half, as losses below, and as ties within 10⁻⁹ of it.
    ///   - resamples: the number of bootstrap resamples.
    ///   - generator: source of randomness for the bootstrap.
    /// - Returns: nil if there are no outcomes.
    public init?(outcomes: [Double], resamples: Int = 2000, using generator: inout some RandomNumberGenerator) {
        guard !outcomes.isEmpty else { return nil }
        precondition(outcomes.allSatisfy { (0...1).contains($0) }, "an outcome must be in 0…1")
        let preferences = outcomes.map { Preference(shareOfFirst: $0) }
        wins = preferences.count { $0 == .first }
        losses = preferences.count { $0 == .second }
        ties = outcomes.count - wins - losses
        rate = Bootstrap.mean(of: outcomes, resamples: resamples, using: &generator)
        standardError =
            (Statistics.sampleStandardDeviation(of: outcomes) ?? 0) / Double(outcomes.count).squareRoot()
    }
}
