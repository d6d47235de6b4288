import Tensor

/// A number with its derivatives with respect to the log-probabilities of a pair's two answers. A loss written with such numbers
/// yields its gradient.
///
/// This is forward-mode differentiation in double precision. It suffices because the loss of a pair depends on the model only
/// through these two log-probabilities.
public struct PairNumber: Sendable, Equatable {
    /// The value.
    public var value: Double
    /// The derivative with respect to the log-probability of the chosen answer.
    public var chosen: Double
    /// The derivative with respect to the log-probability of the rejected answer.
    public var rejected: Double

    /// A number with its derivatives. Default: a constant.
    public init(_ value: Double, chosen: Double = 0, rejected: Double = 0) {
        (self.value, self.chosen, self.rejected) = (value, chosen, rejected)
    }

    /// f of this number, given the value of f and its derivative there.
    private func mapped(_ value: Double, slope: Double) -> PairNumber {
        PairNumber(value, chosen: slope * chosen, rejected: slope * rejected)
    }

    /// The sum of two numbers.
    public static func + (a: PairNumber, b: PairNumber) -> PairNumber {
        PairNumber(a.value + b.value, chosen: a.chosen + b.chosen, rejected: a.rejected + b.rejected)
    }
    /// The difference of two numbers.
    public static func - (a: PairNumber, b: PairNumber) -> PairNumber { a + -1 * b }
    /// The product of two numbers.
    public static func * (a: PairNumber, b: PairNumber) -> PairNumber {
        PairNumber(
            a.value * b.value, chosen: a.chosen * b.value + a.value * b.chosen, rejected: a.rejected * b.value + a.value * b.rejected)
    }
    /// A multiple of a number.
    public static func * (factor: Double, x: PairNumber) -> PairNumber { x.mapped(factor * x.value, slope: factor) }
    /// The sum of a constant and a number.
    public static func + (constant: Double, x: PairNumber) -> PairNumber { x.mapped(constant + x.value, slope: 1) }
    /// The difference of a constant and a number.
    public static func - (constant: Double, x: PairNumber) -> PairNumber { x.mapped(constant - x.value, slope: -1) }
    /// The difference of a number and a constant.
    public static func - (x: PairNumber, constant: Double) -> PairNumber { x.mapped(x.value - constant, slope: 1) }

    /// x².
    public var squared: PairNumber { mapped(value * value, slope: 2 * value) }
    /// eˣ.
    public var exponential: PairNumber { mapped(exponent(value), slope: exponent(value)) }
    /// The logistic function σ(x) = 1 / (1 + e⁻ˣ).
    public var logistic: PairNumber {
        let s = sigmoid(value)
        return mapped(s, slope: s * (1 - s))
    }
    /// log σ(x), without overflow for large |x|.
    public var logLogistic: PairNumber { mapped(min(value, 0) - log1pExp(-abs(value)), slope: sigmoid(-value)) }
    /// log(1 − eˣ) for a log-probability x < 0.
    public var logOneMinusExponential: PairNumber {
        let rest = -expMinusOne(value)
        return mapped(logarithm(rest), slope: -exponent(value) / rest)
    }
    /// max(x, 0), with derivative 0 where x ≤ 0.
    public var positivePart: PairNumber { value > 0 ? self : PairNumber(0) }
    /// min(x, bound), with derivative 0 where the bound applies.
    public func bounded(above bound: Double) -> PairNumber { value <= bound ? self : PairNumber(bound) }
}
