import Tensor

/// What keeps the policy near its reference: the divergence whose optimum a loss of log ratios solves for (Wang et al. 2023, f-DPO).
public enum PreferenceDivergence: Sendable, Equatable, Codable {
    /// The reverse Kullback-Leibler divergence: log ratios as they are.
    case reverseKL
    /// The forward one: 1 − e⁻ˣ.
    case forwardKL
    /// Jensen and Shannon's: log 2 + log σ(x).
    case jensenShannon
    /// α: (e^((α−1)x) − 1) / (α − 1).
    case alpha(Double)

    /// What a log ratio becomes.
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
