import Foundation

/// Descriptive statistics of lists of numbers; each function returns nil for an empty list.
public enum Statistics {
    /// The arithmetic mean.
    public static func mean(of values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    /// The median: the middle value, or the mean of the two middle ones.
    public static func median(of values: [Double]) -> Double? {
        quantile(0.5, of: values)
    }

    /// The population standard deviation (division by n, as is numpy's default).
    public static func standardDeviation(of values: [Double]) -> Double? {
        guard let mean = mean(of: values) else { return nil }
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    /// The sample standard deviation (division by n − 1); nil for fewer than two values.
    public static func sampleStandardDeviation(of values: [Double]) -> Double? {
        guard values.count > 1, let mean = mean(of: values) else { return nil }
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }

    /// The quantile `q` in 0…1, with linear interpolation between order statistics (numpy's default).
    public static func quantile(_ q: Double, of values: [Double]) -> Double? {
        quantile(q, ofSorted: values.sorted())
    }

    package static func quantile(_ q: Double, ofSorted sorted: [Double]) -> Double? {
        precondition(0 <= q && q <= 1, "a quantile must be in 0…1, got \(q)")
        guard let last = sorted.last else { return nil }
        let position = q * Double(sorted.count - 1)
        let below = Int(position)
        guard below + 1 < sorted.count else { return last }
        return sorted[below] + (sorted[below + 1] - sorted[below]) * (position - Double(below))
    }

    /// The number with four significant digits, independent of the locale.
    package static func text(_ value: Double) -> String {
        String(format: "%.4g", value)
    }
}
