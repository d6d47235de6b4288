import Foundation

/// The length-controlled win rates of `alpaca_eval` (Dubois et al., 2024): a logistic model predicts the winner from the
/// difference of the two lengths, the difficulty of the instruction and an intercept. The rate is its prediction for texts of
/// equal length.
///
/// The features are `tanh(d / s)`, the difficulty, and 1, where d is the length of the other text minus that of the first
/// system's text in code points, and s is the sample standard deviation of d. The L1 penalty applies to all three coefficients.
/// Its strength is chosen from ten values between 10⁻⁴ and 10⁴ by five-fold cross-validation over comparisons. The rate is the
/// mean prediction at d = 0. Comparisons without an outcome are excluded from the fit and predicted like the others.
/// ``LengthControlledWinRate`` is a simpler estimate that is specific to this package.
public enum AlpacaEvalWinRate {
    /// The variants of the length-controlled win rate in `alpaca_eval`.
    public enum Form: String, Codable, Sendable, CaseIterable {
        /// Without the difficulty of the instruction.
        case minimal = "length_controlled_minimal"
        /// With the difficulty of the instruction.
        case unregularised = "length_controlled_noreg"
        /// With the difficulty, and regularised by comparisons of a baseline that was told to write short or long texts.
        case v1 = "length_controlled_v1"
    }

    /// One comparison of two texts.
    public struct Comparison: Codable, Sendable, Equatable {
        /// 1 if the first system wins, 0 if it loses, or a value in between; nil if it was not judged.
        public var outcome: Double?
        /// The length of the other system's text minus that of the first system's, in code points.
        public var lengthDifference: Double
        /// The difficulty of the instruction, estimated elsewhere; nil if it is unknown. The minimal form does not use it.
        public var difficulty: Double?

        /// A comparison with a given length difference.
        public init(outcome: Double?, lengthDifference: Double, difficulty: Double? = nil) {
            self.outcome = outcome
            self.lengthDifference = lengthDifference
            self.difficulty = difficulty
        }

        /// A comparison of two texts, whose length difference is computed.
        public init(outcome: Double?, first: String, second: String, difficulty: Double? = nil) {
            self.init(
                outcome: outcome, lengthDifference: Double(Lengths.scalars(in: second) - Lengths.scalars(in: first)), difficulty: difficulty
            )
        }
    }

    /// A comparison of a baseline with a version of itself that was told to be brief or verbose. The form v1 fits these in
    /// addition, each with weight 0.1.
    public struct GamedComparison: Codable, Sendable, Equatable {
        /// 1 if the gamed text wins, 0 if it loses.
        public var outcome: Double
        /// The difference in length, already divided by the standard deviation.
        public var scaledLengthDifference: Double
        /// The difficulty of the instruction.
        public var difficulty: Double

        /// A comparison with a gamed baseline.
        public init(outcome: Double, scaledLengthDifference: Double, difficulty: Double) {
            self.outcome = outcome
            self.scaledLengthDifference = scaledLengthDifference
            self.difficulty = difficulty
        }
    }

    /// The result of the fit.
    public struct Estimate: Codable, Sendable, Equatable {
        /// The mean prediction at a length difference of 0.
        public var rate: Double
        /// The standard error of that mean over the comparisons.
        public var standardError: Double
        /// The coefficient of `tanh` of the scaled length difference.
        public var lengthCoefficient: Double
        /// The coefficient of the difficulty; nil in the minimal form.
        public var difficultyCoefficient: Double?
        /// The intercept: the advantage of the first system that neither length nor difficulty explains.
        public var intercept: Double
        /// The inverse penalty strength C chosen by cross-validation.
        public var strength: Double
        /// The number of fitted comparisons.
        public var fitted: Int
        /// The number of comparisons that are neither fitted nor predicted because their difficulty is unknown; nil in the
        /// minimal form, which does not use it.
        public var withoutDifficulty: Int?
    }

    /// The weight of each gamed comparison: λ = 0.2, divided between the two gamed baselines.
    static let gamedWeight = 0.1
    private static let folds = 5
    /// The minimum number of comparisons for a fit, including the gamed ones.
    package static let fewest = folds

    /// Estimates the length-controlled win rate.
    /// - Parameters:
    ///   - form: the variant.
    ///   - comparisons: the comparisons.
    ///   - gamed: comparisons with gamed baselines, used by v1 only.
    /// - Returns: nil if fewer than five comparisons can be fitted, or none of `comparisons`.
    public static func estimate(_ form: Form, of comparisons: [Comparison], gamed: [GamedComparison] = []) -> Estimate? {
        let scale = Statistics.sampleStandardDeviation(of: comparisons.map(\.lengthDifference)) ?? 0
        let usesDifficulty = form != .minimal
        let usable = usesDifficulty ? comparisons.filter { $0.difficulty != nil } : comparisons
        func row(_ length: Double, _ difficulty: Double?, _ one: Double) -> [Double] {
            usesDifficulty ? [length, difficulty ?? 0, one] : [length, one]
        }
        let judged = usable.filter { $0.outcome != nil }
        let anchors = form == .v1 ? gamed : []
        guard judged.count + anchors.count >= folds, !judged.isEmpty else { return nil }
        let problem = L1LogisticRegression(
            features: anchors.map { row(tanh($0.scaledLengthDifference), $0.difficulty, 0) }
                + judged.map { row(scale > 0 ? tanh($0.lengthDifference / scale) : 0, $0.difficulty, 1) },
            outcomes: anchors.map(\.outcome) + judged.compactMap(\.outcome),
            weights: anchors.map { _ in gamedWeight } + judged.map { _ in 1 })
        let strength = chosenStrength(problem)
        let coefficients = problem.fit(strength: strength)
        let predictions = usable.map { L1LogisticRegression.probability(row(0, $0.difficulty, 1), coefficients) }
        let deviation = Statistics.sampleStandardDeviation(of: predictions) ?? 0
        return Estimate(
            rate: Statistics.mean(of: predictions) ?? 0.5, standardError: deviation / Double(predictions.count).squareRoot(),
            lengthCoefficient: coefficients[0], difficultyCoefficient: usesDifficulty ? coefficients[1] : nil,
            intercept: coefficients[coefficients.count - 1], strength: strength, fitted: judged.count,
            withoutDifficulty: usesDifficulty ? comparisons.count - usable.count : nil)
    }

    /// The smallest C with the lowest sum of the folds' mean log-losses.
    private static func chosenStrength(_ problem: L1LogisticRegression) -> Double {
        let count = problem.outcomes.count
        // comparisons are assigned to the folds from the last one backwards
        func fold(_ index: Int) -> Int { (count - 1 - index) % folds }
        let parts = (0..<folds).map { number in
            (
                train: problem.subset((0..<count).filter { fold($0) != number }),
                test: problem.subset((0..<count).filter { fold($0) == number })
            )
        }
        var best = (strength: 0.0, loss: Double.infinity)
        for place in 0..<10 {
            let strength = pow(10, -4 + 8 * Double(place) / 9)
            let loss = parts.reduce(0) { $0 + $1.test.logLoss($1.train.fit(strength: strength)) }
            // a larger C must not win through rounding alone: with all coefficients zero, all losses are equal
            if loss < best.loss - 1e-13 { best = (strength, loss) }
        }
        return best.strength
    }
}
