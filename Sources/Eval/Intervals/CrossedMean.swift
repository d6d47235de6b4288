import Foundation

/// Means over runs (seeds) and units (prompts) where every run answers the same units, with 95 % intervals for both sources of chance.
///
/// In the crossed model value = μ + run + unit + rest, the variance of the mean over R runs and U units is σ²_run/R + σ²_unit/U + σ²_rest/(RU).
/// It is estimated by s²(means of runs)/R + s²(means of units)/U, which counts the last term twice and so errs on the safe side. The
/// interval is mean ± t · √variance, with the degrees of freedom of Satterthwaite (1946): few runs that differ much make it wide, as
/// they should; a bootstrap of three runs would be too narrow.
public enum CrossedMean {
    /// The mean of all cells with its interval.
    /// - Parameter cells: for each run the value of every unit, in one order. With one run the interval is over units alone, with one
    ///   unit over runs alone, with one of both it is the point.
    public static func interval(of cells: [[Double]]) -> Interval {
        precondition(!cells.isEmpty && cells.allSatisfy { $0.count == cells[0].count }, "every run has all units")
        precondition(!cells[0].isEmpty, "there must be a unit")
        let units = cells[0].indices.map { unit in cells.reduce(0) { $0 + $1[unit] } / Double(cells.count) }
        let spread = (Statistics.sampleStandardDeviation(of: units) ?? 0)
        return interval(
            of: cells.map { $0.reduce(0, +) / Double($0.count) }, unitVariance: spread * spread / Double(units.count),
            unitDegrees: Double(units.count - 1))
    }

    /// The mean of one number per run with its interval.
    /// - Parameters:
    ///   - runs: the runs' numbers.
    ///   - unitVariance: what the choice of units adds to the variance of the mean; 0 where every run has units of its own, whose chance
    ///     is in the runs' numbers already.
    ///   - unitDegrees: the degrees of freedom of that variance.
    public static func interval(of runs: [Double], unitVariance: Double = 0, unitDegrees: Double = 0) -> Interval {
        precondition(!runs.isEmpty, "there must be a run")
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

/// Student's distribution with any degrees of freedom.
package enum StudentT {
    /// The 97.5 % quantile, to 1e-9, for at least one degree of freedom.
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

    /// P(|T| ≤ t) = 2 Γ((v + 1)/2) / (√π Γ(v/2)) ∫ cosᵛ⁻¹ θ dθ from 0 to arctan(t / √v), by Simpson's rule.
    package static func probability(within t: Double, degrees v: Double) -> Double {
        let end = atan(t / v.squareRoot())
        let parts = 400
        let width = end / Double(parts)
        var sum = 0.0
        for i in 0...parts {
            let weight = i == 0 || i == parts ? 1.0 : i % 2 == 1 ? 4 : 2
            sum += weight * pow(cos(Double(i) * width), v - 1)
        }
        // the gamma functions of large arguments overflow, their logarithms do not
        return 2 * exp(lgamma((v + 1) / 2) - lgamma(v / 2)) / Double.pi.squareRoot() * sum * width / 3
    }
}
