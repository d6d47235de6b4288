import Foundation

/// Means over runs (seeds) and units (prompts) where every run answers the same units, with 95 % intervals that cover both
/// sources of variance.
///
/// In the crossed model value = μ + run + unit + residual, the variance of the mean over R runs and U units is σ²_run/R +
/// σ²_unit/U + σ²_residual/(RU). It is estimated by s²(run means)/R + s²(unit means)/U, which counts the last term twice and is
/// therefore conservative. The interval is mean ± t · √variance with the degrees of freedom of Satterthwaite (1946). It is wide
/// for few runs that differ much, where a bootstrap over runs would be too narrow.
public enum CrossedMean {
    /// The mean of all cells with its interval.
    /// - Parameter cells: for each run, the value of every unit, in the same order for all runs. With a single run, the
    ///   interval is over units only; with a single unit, over runs only; with one of each, it is a single point.
    public static func interval(of cells: [[Double]]) -> Interval {
        precondition(!cells.isEmpty && cells.allSatisfy { $0.count == cells[0].count }, "every run must have all units")
        precondition(!cells[0].isEmpty, "there must be at least one unit")
        let units = cells[0].indices.map { unit in cells.reduce(0) { $0 + $1[unit] } / Double(cells.count) }
        let spread = (Statistics.sampleStandardDeviation(of: units) ?? 0)
        return interval(
            of: cells.map { $0.reduce(0, +) / Double($0.count) }, unitVariance: spread * spread / Double(units.count),
            unitDegrees: Double(units.count - 1))
    }

    /// The mean of one number per run with its interval.
    /// - Parameters:
    ///   - runs: the value of each run.
    ///   - unitVariance: the contribution of the choice of units to the variance of the mean; 0 if every run has different
    ///     units, whose variance is then part of the runs' values.
    ///   - unitDegrees: the degrees of freedom of that variance.
    public static func interval(of runs: [Double], unitVariance: Double = 0, unitDegrees: Double = 0) -> Interval {
        precondition(!runs.isEmpty, "there must be at least one run")
        let mean = runs.reduce(0, +) / Double(runs.count)
        let spread = Statistics.sampleStandardDeviation(of: runs) ?? 0
        let runVariance = spread * spread / Double(runs.count)
        let variance = runVariance + unitVariance
        guard variance > 0 else { return Interval(mean: mean, low: mean, high: mean) }
        func share(_ part: Double, _ degrees: Double) -> Double { degrees > 0 ? part * part / degrees : 0 }
        let shares = share(runVariance, Double(runs.count - 1)) + share(unitVariance, unitDegrees)
        let degrees = shares > 0 ? variance * variance / shares : .infinity
        let reach = StudentT.quantile975(degrees: degrees) * variance.squareRoot()
        return Interval(mean: mean, low: mean - reach, high: mean + reach)
    }
}

/// Student's t distribution with any (also fractional) degrees of freedom.
package enum StudentT {
    /// The 97.5 % quantile with an error below 1e-9; fewer than one degree of freedom are treated as one.
    package static func quantile975(degrees: Double) -> Double {
        let normal = 1.959963984540054
        guard degrees < 1e6 else { return normal }
        let degrees = max(1, degrees)
        var (low, high) = (normal, 12.71)
        while high - low > 1e-10 {
            let middle = (low + high) / 2
            if probability(within: middle, degrees: degrees) < 0.95 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// P(|T| ≤ t) for v degrees of freedom: 2 Γ((v + 1)/2) / (√π Γ(v/2)) ∫ cosᵛ⁻¹ θ dθ from 0 to arctan(t / √v), by Simpson's
    /// rule.
    package static func probability(within t: Double, degrees v: Double) -> Double {
        let end = atan(t / v.squareRoot())
        let parts = 400
        let width = end / Double(parts)
        var sum = 0.0
        for i in 0...parts {
            let weight = i == 0 || i == parts ? 1.0 : i % 2 == 1 ? 4 : 2
            sum += weight * pow(cos(Double(i) * width), v - 1)
        }
        // uses lgamma, since the gamma function overflows for large arguments
        return 2 * exp(lgamma((v + 1) / 2) - lgamma(v / 2)) / Double.pi.squareRoot() * sum * width / 3
    }
}
