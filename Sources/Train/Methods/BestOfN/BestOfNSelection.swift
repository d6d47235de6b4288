public import Data
public import Tensor

/// How one of N responses is chosen by their rewards.
public enum BestOfNSelection: Sendable, Equatable {
    /// The one with the greatest reward, the first of equals.
    case best
    /// Response i with probability exp(r_i / T) / Σ_j exp(r_j / T) (Verdun et al. 2025).
    case soft(temperature: Double)

    /// The probability of each of some rewards to be chosen; they add up to 1. What has no reward has none.
    public func weights(_ rewards: [Double?]) -> [Double] {
        let known = rewards.map { $0 ?? -.infinity }
        guard let greatest = known.max(), let place = known.firstIndex(of: greatest) else { return [] }
        guard case .soft(let temperature) = self, greatest > -.infinity else { return known.indices.map { $0 == place ? 1 : 0 } }
        let weights = known.map { exponential(($0 - greatest) / temperature) }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    /// The chosen row of some; nil of none. A soft choice's row has two numbers more: `weight`, its probability, and `expected_reward`,
    /// the reward that is expected of the choice.
    /// - Parameter random: a soft choice takes one number of it.
    public func choose(of rows: [SampleRow], using random: Philox) -> SampleRow? {
        guard case .soft = self, !rows.isEmpty else { return BestOfN.best(of: rows) }
        let weights = weights(rows.map(\.reward))
        var (stream, sum) = (random, 0.0)
        let uniform = Double(stream.uniform())
        let passed = weights.firstIndex { weight in
            sum += weight
            return uniform < sum
        }
        // rounding may leave the sum below 1: then it is the last that can be chosen
        guard let index = passed ?? weights.lastIndex(where: { $0 > 0 }) else { return nil }
        var row = rows[index]
        row.numbers["weight"] = weights[index]
        row.numbers["expected_reward"] = zip(rows, weights).reduce(0) { $0 + $1.1 * ($1.0.reward ?? 0) }
        return row
    }

    /// The reward that is expected of a choice among the first n rows, for every n.
    public func expectedRewards(_ rows: [SampleRow]) -> [Double] {
        guard case .soft(let temperature) = self else { return BestOfN.bestRewards(rows) }
        var sums = SoftSums(temperature: temperature)
        return rows.map { row in
            sums.add(row.reward)
            return sums.reward
        }
    }

    /// For every n a bound of KL(choice ‖ the sampled policy) from the first n responses to one prompt; the bound is its mean over prompts.
    ///
    /// Of the best, log n − (n − 1)/n (``BestOfN/kl(n:)``). Of a soft choice, Σ w log(n w) = log n − H(w): by so much do the n responses
    /// and the choice together differ from those with an even choice, whose result is a response of the policy; and the divergence of
    /// results is no greater.
    public func klBounds(_ rows: [SampleRow]) -> [Double] {
        guard case .soft(let temperature) = self else { return rows.indices.map { BestOfN.kl(n: $0 + 1) } }
        var sums = SoftSums(temperature: temperature)
        return rows.enumerated().map { place, row in
            sums.add(row.reward)
            return max(0, logarithm(Double(place + 1)) - sums.entropy)
        }
    }
}

/// Sums over rewards that come one by one, relative to the greatest so far.
private struct SoftSums {
    let temperature: Double
    private var greatest = -Double.infinity
    /// Σ e, Σ e·r and Σ e·x, where x = (r − greatest) / T and e = exp(x).
    private var (weight, rewards, exponents) = (0.0, 0.0, 0.0)

    init(temperature: Double) { self.temperature = temperature }

    mutating func add(_ reward: Double?) {
        guard let reward else { return }
        if reward > greatest {
            if weight > 0 {
                let shift = (greatest - reward) / temperature
                let scale = exponential(shift)
                exponents = scale > 0 ? scale * (exponents + shift * weight) : 0
                (weight, rewards) = (scale * weight, scale * rewards)
            }
            greatest = reward
        }
        let exponent = (reward - greatest) / temperature
        let scale = exponential(exponent)
        weight += scale
        rewards += scale * reward
        if scale > 0 { exponents += scale * exponent }
    }

    /// The expected reward; 0 of none.
    var reward: Double { weight > 0 ? rewards / weight : 0 }
    /// The entropy of the choice.
    var entropy: Double { weight > 0 ? logarithm(weight) - exponents / weight : 0 }
}
