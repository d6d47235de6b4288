import Tensor

/// A number with its derivatives by two others, the log-probabilities of a pair's answers: a loss that is written with these knows its gradient.
///
/// Forward-mode differentiation in double precision. The gradients of a model need no more: a loss of a pair depends on the model through two
/// numbers alone.
public struct PairNumber: Sendable, Equatable {
    /// The number.
    public var value: Double
    /// Its derivative by the log-probability of the chosen answer.
    public var chosen: Double
    /// Its derivative by the log-probability of the rejected answer.
    public var rejected: Double

    /// A number with derivatives; a constant unless given.
    public init(_ value: Double, chosen: Double = 0, rejected: Double = 0) {
        (self.value, self.chosen, self.rejected) = (value, chosen, rejected)
    }

    /// f of it, given f and its derivative there.
    private func mapped(_ value: Double, slope: Double) -> PairNumber {
        PairNumber(value, chosen: slope * chosen, rejected: slope * rejected)
    }

    public static func + (a: PairNumber, b: PairNumber) -> PairNumber {
        PairNumber(a.value + b.value, chosen: a.chosen + b.chosen, rejected: a.rejected + b.rejected)
    }
    public static func - (a: PairNumber, b: PairNumber) -> PairNumber { a + -1 * b }
    public static func * (a: PairNumber, b: PairNumber) -> PairNumber {
        PairNumber(
            a.value * b.value, chosen: a.chosen * b.value + a.value * b.chosen, rejected: a.rejected * b.value + a.value * b.rejected)
    }
    public static func * (factor: Double, x: PairNumber) -> PairNumber { x.mapped(factor * x.value, slope: factor) }
    public static func + (constant: Double, x: PairNumber) -> PairNumber { x.mapped(constant + x.value, slope: 1) }
    public static func - (constant: Double, x: PairNumber) -> PairNumber { x.mapped(constant - x.value, slope: -1) }
    public static func - (x: PairNumber, constant: Double) -> PairNumber { x.mapped(x.value - constant, slope: 1) }

    /// Its square.
    public var squared: PairNumber { mapped(value * value, slope: 2 * value) }
    /// eˣ.
    public var exponential: PairNumber { mapped(exponent(value), slope: exponent(value)) }
    /// σ(x) = 1 / (1 + e⁻ˣ).
    public var logistic: PairNumber {
        let s = sigmoid(value)
        return mapped(s, slope: s * (1 - s))
    }
    /// log σ(x), without overflow on either side.
    public var logLogistic: PairNumber { mapped(min(value, 0) - log1pExp(-abs(value)), slope: sigmoid(-value)) }
    /// log(1 − eˣ) of a log-probability below 0.
    public var logOneMinusExponential: PairNumber {
        let rest = -expMinusOne(value)
        return mapped(logarithm(rest), slope: -exponent(value) / rest)
    }
    /// max(x, 0); where it is 0 the slope is 0, too.
    public var positivePart: PairNumber { value > 0 ? self : PairNumber(0) }
    /// The smaller of it and a bound, where it is the bound without a slope.
    public func bounded(above bound: Double) -> PairNumber { value <= bound ? self : PairNumber(bound) }
}
