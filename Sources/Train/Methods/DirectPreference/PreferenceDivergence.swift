import Tensor

/// The divergence between the policy and its reference (f-DPO: Wang et al. 2023). It determines the function that is applied to
/// each log ratio x.
public enum PreferenceDivergence: Sendable, Equatable, Codable {
    /// The reverse Kullback-Leibler divergence: x.
    case reverseKL
    /// The forward Kullback-Leibler divergence: 1 − e⁻ˣ.
    case forwardKL
    /// The Jensen-Shannon divergence: log 2 + log σ(x).
    case jensenShannon
    /// The α-divergence: (e^((α−1)x) − 1) / (α − 1).
    case alpha(Double)

    /// The divergence's function of a log ratio.
    func score(_ x: PairNumber) -> PairNumber {
        switch self {
        case .reverseKL: return x
        case .forwardKL: return 1 - (-1 * x).exponential
        case .jensenShannon: return logarithm(2) + x.logLogistic
        case .alpha(let alpha):
            let a = alpha - 1
            guard abs(a) >= 1e-6 else { return x }
            // e⁸⁰ is near the largest 32-bit float
            return (1 / a) * ((a * x).bounded(above: 80).exponential - 1)
        }
    }
}
