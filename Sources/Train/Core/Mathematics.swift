import Foundation

/// log(1 + eˣ) for x ≤ 0.
func log1pExp(_ x: Double) -> Double { log1p(exp(x)) }
/// eˣ.
func exponent(_ x: Double) -> Double { exp(x) }
/// eˣ − 1, exact near 0.
func expMinusOne(_ x: Double) -> Double { expm1(x) }
/// The logistic function 1 / (1 + e⁻ˣ), without overflow for large |x|.
func sigmoid(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }
