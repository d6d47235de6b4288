import Foundation

/// The win rate that would be expected if both systems wrote equally long texts (after Dubois et al., 2024).
///
/// A logistic model `P(first wins) = σ(θ + φ · tanh(d / s))` is fitted to the outcomes, where d is the difference of the two
/// lengths (first minus second) and s its standard deviation. The length-controlled rate is `σ(θ)`. A small ridge penalty
/// `λ (θ² + φ²) / 2` with λ = 0.01 keeps the fit finite for perfectly separated outcomes. If all differences are zero, the result
/// is the raw rate, apart from the effect of the penalty.
public enum LengthControlledWinRate {
    /// The length-controlled rate with a bootstrap interval that refits the model for every resample; nil if there are no
    /// outcomes.
    ///
    /// - Parameters:
    ///   - outcomes: for each comparison, 1 if the first system won, 0 if it lost, 0.5 for a tie, or an average in between.
    ///   - lengthDifferences: for each comparison, the length of the first text minus that of the second, in any unit.
    ///   - resamples: the number of bootstrap resamples.
    ///   - generator: source of randomness for the bootstrap.
    public static func rate(
        outcomes: [Double], lengthDifferences: [Double], resamples: Int = 500,
        using generator: inout some RandomNumberGenerator
    ) -> Interval? {
        precondition(
            outcomes.count == lengthDifferences.count,
            "\(outcomes.count) outcomes but \(lengthDifferences.count) length differences")
        guard !outcomes.isEmpty else { return nil }
        let scale = Statistics.standardDeviation(of: lengthDifferences) ?? 0
        let features = lengthDifferences.map { scale > 0 ? tanh($0 / scale) : 0 }
        return Bootstrap.statistic(count: outcomes.count, resamples: resamples, using: &generator) { indices in
            sigmoid(fit(indices.map { outcomes[$0] }, indices.map { features[$0] }).intercept)
        }
    }

    /// The strength λ of the ridge penalty.
    private static let ridge = 0.01

    /// Fits intercept and slope with Newton's method. The objective is strictly convex; steps are halved until it does not
    /// increase.
    package static func fit(_ outcomes: [Double], _ features: [Double]) -> (intercept: Double, slope: Double) {
        func objective(_ theta: Double, _ phi: Double) -> Double {
            zip(outcomes, features).reduce(ridge * (theta * theta + phi * phi) / 2) { sum, pair in
                let z = theta + phi * pair.1
                return sum + log1p(exp(-abs(z))) + max(z, 0) - pair.0 * z
            }
        }
        var theta = 0.0
        var phi = 0.0
        var value = objective(theta, phi)
        for _ in 0..<100 {
            var g = (ridge * theta, ridge * phi)
            var h = (ridge, 0.0, ridge)
            for (y, x) in zip(outcomes, features) {
                let p = sigmoid(theta + phi * x)
                g.0 += p - y
                g.1 += (p - y) * x
                h.0 += p * (1 - p)
                h.1 += p * (1 - p) * x
                h.2 += p * (1 - p) * x * x
            }
            let determinant = h.0 * h.2 - h.1 * h.1
            let step = ((h.2 * g.0 - h.1 * g.1) / determinant, (h.0 * g.1 - h.1 * g.0) / determinant)
            var size = 1.0
            while size > 1e-10, objective(theta - size * step.0, phi - size * step.1) > value { size /= 2 }
            theta -= size * step.0
            phi -= size * step.1
            value = objective(theta, phi)
            if abs(step.0) + abs(step.1) < 1e-12 || size <= 1e-10 { break }
        }
        return (theta, phi)
    }

    private static func sigmoid(_ z: Double) -> Double {
        1 / (1 + exp(-z))
    }
}
