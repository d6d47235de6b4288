import Foundation

/// The length-controlled win rates of `alpaca_eval` (Dubois et al., 2024): a logistic model of who wins by the difference of the two
/// lengths, the difficulty of the instruction and an intercept, asked what it expects where both texts are equally long.
///
/// The features are `tanh(d / s)`, d the length of the other text minus that of the first system's in code points and s the sample standard
/// deviation of d, the difficulty, and 1. The L1 penalty falls on all three coefficients; its strength is chosen among ten from 10⁻⁴ to
/// 10⁴ by five folds of whole comparisons, and the rate is the mean of what the model predicts at d = 0. Comparisons without an outcome are
/// left out of the fit and predicted like the others. ``LengthControlledWinRate`` is another estimate, of this package's own.
public enum AlpacaEvalWinRate {
    /// The forms that the package has.
    public enum Form: String, Codable, Sendable, CaseIterable {
        /// Without the difficulties.
        case minimal = "length_controlled_minimal"
        /// With the difficulties.
        case unregularised = "length_controlled_noreg"
        /// With the difficulties, and drawn towards what is known of a baseline that writes short and long on purpose.
        case v1 = "length_controlled_v1"
    }

    /// One comparison.
    public struct Comparison: Codable, Sendable, Equatable {
        /// 1 where the first system wins, 0 where it loses, anything between; nil where nobody has judged.
        public var outcome: Double?
        /// The length of the other system's text minus that of the first system's, in code points.
        public var lengthDifference: Double
        /// The difficulty of the instruction, from elsewhere; the minimal form does not need it.
        public var difficulty: Double?

        /// A comparison.
        public init(outcome: Double?, lengthDifference: Double, difficulty: Double? = nil) {
            self.outcome = outcome
            self.lengthDifference = lengthDifference
            self.difficulty = difficulty
        }

        /// A comparison of two texts.
        public init(outcome: Double?, first: String, second: String, difficulty: Double? = nil) {
            self.init(
                outcome: outcome, lengthDifference: Double(Lengths.scalars(in: second) - Lengths.scalars(in: first)), difficulty: difficulty
            )
        }
    }

    /// One comparison of a baseline with itself, told to be brief or long; v1 fits them beside the others, with a weight of 0.1 each.
    public struct GamedComparison: Codable, Sendable, Equatable {
        /// 1 where the gamed text wins, 0 where it loses.
        public var outcome: Double
        /// Its difference in length, divided by the standard deviation already.
        public var scaledLengthDifference: Double
        /// The difficulty of the instruction.
        public var difficulty: Double

        /// A comparison.
        public init(outcome: Double, scaledLengthDifference: Double, difficulty: Double) {
            self.outcome = outcome
            self.scaledLengthDifference = scaledLengthDifference
            self.difficulty = difficulty
        }
    }

    /// What the model says.
    public struct Estimate: Codable, Sendable, Equatable {
        /// The mean prediction at no difference in length.
        public var rate: Double
        /// The standard error of that mean over the comparisons.
        public var standardError: Double
        /// Of tanh of the scaled difference in length.
        public var lengthCoefficient: Double
        /// Of the difficulty; nil in the minimal form.
        public var difficultyCoefficient: Double?
        /// Of the first system's being better as such.
        public var intercept: Double
        /// The C that the folds have chosen.
        public var strength: Double
        /// Comparisons that were fitted.
        public var fitted: Int
        /// Comparisons that are neither fitted nor predicted, for their difficulty is not known; nil in the minimal form, which needs none.
        public var withoutDifficulty: Int?
    }

    /// What each gamed comparison counts: λ = 0.2, shared by the two gamed baselines.
    static let gamedWeight = 0.1
    private static let folds = 5
    /// Comparisons that a fit takes, the gamed ones among them.
    package static let fewest = folds

    /// The estimate of a form; nil where fewer than five comparisons can be fitted.
    /// - Parameter gamed: for v1.
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

    /// The first C with the smallest sum of the folds' mean log-losses.
    private static func chosenStrength(_ problem: L1LogisticRegression) -> Double {
        let count = problem.outcomes.count
        // comparisons are dealt to the folds from the last one on
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
            // rounding alone must not prefer a larger one: with coefficients of zero all losses are equal
            if loss < best.loss - 1e-13 { best = (strength, loss) }
        }
        return best.strength
    }
}
