import Foundation

/// Logistic regression with an L1 penalty and weighted outcomes between 0 and 1: `min ‖w‖₁ + C Σ sᵢ (log(1 + exp zᵢ) − yᵢ zᵢ)`
/// with z = x · w. There is no separate intercept.
///
/// The solver is a proximal Newton method: the penalised quadratic model is minimised by coordinate descent, and steps are
/// halved until the objective decreases. Unlike liblinear, which stops at a tolerance of 10⁻⁴, it iterates to floating-point
/// precision.
package struct L1LogisticRegression {
    /// The feature rows, one per observation.
    package var features: [[Double]]
    /// The outcomes, from 0 to 1.
    package var outcomes: [Double]
    /// The weights sᵢ of the observations.
    package var weights: [Double]

    /// A problem with one feature row, outcome and weight per observation.
    package init(features: [[Double]], outcomes: [Double], weights: [Double]) {
        precondition(
            features.count == outcomes.count && features.count == weights.count,
            "\(features.count) rows, \(outcomes.count) outcomes, \(weights.count) weights")
        self.features = features
        self.outcomes = outcomes
        self.weights = weights
    }

    /// The problem restricted to the observations at the given indices.
    package func subset(_ places: [Int]) -> L1LogisticRegression {
        L1LogisticRegression(
            features: places.map { features[$0] }, outcomes: places.map { outcomes[$0] }, weights: places.map { weights[$0] })
    }

    /// Fits the coefficients.
    /// - Parameter strength: C, the weight of the loss relative to the penalty.
    package func fit(strength: Double) -> [Double] {
        let width = features.first?.count ?? 0
        var w = [Double](repeating: 0, count: width)
        var value = objective(w, strength)
        for _ in 0..<200 {
            let (gradient, curvature) = derivatives(w, strength)
            let step = proximalStep(from: w, gradient, curvature)
            let norm = w.reduce(0) { $0 + abs($1) }
            let predicted =
                zip(gradient, step).reduce(0) { $0 + $1.0 * $1.1 } + zip(w, step).reduce(0) { $0 + abs($1.0 + $1.1) } - norm
            guard predicted < -1e-15 * (1 + abs(value)) else { break }
            var size = 1.0
            var next = w
            var nextValue = value
            while size > 1e-10 {
                next = zip(w, step).map { $0 + size * $1 }
                nextValue = objective(next, strength)
                if nextValue <= value + 0.01 * size * predicted { break }
                size /= 2
            }
            guard size > 1e-10 else { break }
            w = next
            value = nextValue
        }
        return w
    }

    /// The mean weighted log-loss of coefficients; probabilities are clamped to 10⁻¹⁵…1 − 10⁻¹⁵.
    package func logLoss(_ w: [Double]) -> Double {
        var sum = 0.0
        for i in features.indices {
            let p = min(max(Self.probability(features[i], w), 1e-15), 1 - 1e-15)
            sum += weights[i] * (outcomes[i] * log(p) + (1 - outcomes[i]) * log(1 - p))
        }
        return -sum / Double(features.count)
    }

    /// The predicted probability of outcome 1.
    package static func probability(_ row: [Double], _ w: [Double]) -> Double { 1 / (1 + exp(-score(row, w))) }

    private static func score(_ row: [Double], _ w: [Double]) -> Double {
        var sum = 0.0
        for place in w.indices { sum += row[place] * w[place] }
        return sum
    }

    private func objective(_ w: [Double], _ strength: Double) -> Double {
        var loss = 0.0
        for i in features.indices {
            let z = Self.score(features[i], w)
            loss += weights[i] * (log1p(exp(-abs(z))) + max(z, 0) - outcomes[i] * z)
        }
        return w.reduce(0) { $0 + abs($1) } + strength * loss
    }

    /// The gradient of the weighted loss and its Hessian.
    private func derivatives(_ w: [Double], _ strength: Double) -> (gradient: [Double], curvature: [[Double]]) {
        var gradient = [Double](repeating: 0, count: w.count)
        var curvature = [[Double]](repeating: gradient, count: w.count)
        for i in features.indices {
            let row = features[i]
            let p = Self.probability(row, w)
            let slope = strength * weights[i] * (p - outcomes[i])
            let bend = strength * weights[i] * p * (1 - p)
            for a in w.indices {
                gradient[a] += slope * row[a]
                for b in 0...a { curvature[a][b] += bend * row[a] * row[b] }
            }
        }
        for a in w.indices {
            for b in 0..<a { curvature[b][a] = curvature[a][b] }
            // keeps the divisor positive when all predictions are certain and the curvature vanishes
            curvature[a][a] += 1e-12
        }
        return (gradient, curvature)
    }

    /// The step to the minimum of the penalised quadratic model.
    private func proximalStep(from w: [Double], _ gradient: [Double], _ curvature: [[Double]]) -> [Double] {
        var step = [Double](repeating: 0, count: w.count)
        for _ in 0..<10_000 {
            var largest = 0.0
            for a in w.indices {
                let slope = gradient[a] + zip(curvature[a], step).reduce(0) { $0 + $1.0 * $1.1 } - curvature[a][a] * step[a]
                // minimises over u = w + d: slope (u − w) + bend (u − w)² / 2 + |u|
                let bend = curvature[a][a]
                let centre = bend * w[a] - slope
                let u = centre > 1 ? (centre - 1) / bend : centre < -1 ? (centre + 1) / bend : 0
                largest = max(largest, abs(u - w[a] - step[a]))
                step[a] = u - w[a]
            }
            if largest < 1e-14 { break }
        }
        return step
    }
}
