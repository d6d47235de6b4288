/// How often the first of two systems is preferred; ties count half.
public struct WinRate: Codable, Sendable, Equatable {
    /// Comparisons that the first system won.
    public var wins: Int
    /// Comparisons that it lost.
    public var losses: Int
    /// Comparisons without a winner.
    public var ties: Int
    /// `(wins + ties / 2) / comparisons` with its bootstrap interval.
    public var rate: Interval
    /// Standard error of the rate: sample standard deviation of the outcomes over the root of their number.
    public var standardError: Double

    /// Summarises outcomes.
    ///
    /// - Parameter outcomes: one number per comparison: 1 the first system won, 0 it lost, 0.5 a tie; numbers in between
    ///   are averages of several judgements and count as wins above a half; within 10⁻⁹ of a half they are ties.
    /// - Returns: nil if there are no outcomes.
    public init?(outcomes: [Double], resamples: Int = 2000, using generator: inout some RandomNumberGenerator) {
        guard !outcomes.isEmpty else { return nil }
        precondition(outcomes.allSatisfy { (0...1).contains($0) }, "an outcome lies in 0…1")
        let preferences = outcomes.map { Preference(shareOfFirst: $0) }
        wins = preferences.count { $0 == .first }
        losses = preferences.count { $0 == .second }
        ties = outcomes.count - wins - losses
        rate = Bootstrap.mean(of: outcomes, resamples: resamples, using: &generator)
        standardError =
            (Statistics.sampleStandardDeviation(of: outcomes) ?? 0) / Double(outcomes.count).squareRoot()
    }
}
