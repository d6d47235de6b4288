import Foundation

/// log(1 + eˣ) for x ≤ 0.
func log1pExp(_ x: Double) -> Double { log1p(exp(x)) }
