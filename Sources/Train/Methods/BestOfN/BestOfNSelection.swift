public import Data
public import Tensor

/// How one of N responses is chosen by reward.
public enum BestOfNSelection: Sendable, Equatable {
    /// The response with the highest reward; the first of several equal ones.
    case best
    /// Response i with probability exp(r_i / T) / Σ_j exp(r_j / T) (Verdun et al. 2025).
    case soft(temperature: Double)

    /// The probability with which each response is chosen, given the rewards; they sum to 1. A response without a reward has
    /// probability 0.
    public func weights(_ rewards: [Double?]) -> [Double] {
        let known = rewards.map { $0 ?? -.infinity }
        guard let greatest = known.max(), let place = known.firstIndex(of: greatest) else { return [] }
        guard case .soft(let temperature) = self, greatest > -.infinity else { return known.indices.map { $0 == place ? 1 : 0 } }
        let weights = known.map { exponential(($0 - greatest) / temperature) }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    /// Chooses one of the rows; nil if there are none. The row of a soft choice has two more numbers: `weight`, its probability,
    /// and `expected_reward`, the expected reward of the choice.
    /// - Parameters:
    ///   - rows: the rows to choose from, with their rewards.
    ///   - random: a random stream, of which a soft choice uses one number.
    public func choose(of rows: [SampleRow], using random: Philox) -> SampleRow? {
        guard case .soft = self, !rows.isEmpty else { return BestOfN.best(of: rows) }
        let weights = weights(rows.map(\.reward))
        var (stream, sum) = (random, 0.0)
        let uniform = Double(stream.uniform())
        let passed = weights.firstIndex { weight in
            sum += weight
            return uniform < sum
        }
        // with rounding, the sum may stay below 1: then the last possible row is chosen
        guard let index = passed ?? weights.lastIndex(where: { $0 > 0 }) else { return nil }
        var row = rows[index]
        row.numbers["weight"] = weights[index]
        row.numbers["expected_reward"] = zip(rows, weights).reduce(0) { $0 + $1.1 * ($1.0.reward ?? 0) }
        return row
    }

    /// The expected reward of a choice among the first n rows, for every n.
    public func expectedRewards(_ rows: [SampleRow]) -> [Double] {
        guard case .soft(let temperature) = self else { return BestOfN.bestRewards(rows) }
        var sums = SoftSums(temperature: temperature)
        return rows.map { row in
            sums.add(row.reward)
            return sums.reward
        }
    }

    /// For every n, an upper bound of KL(choice ‖ sampled policy) in nats, from the first n responses to one prompt. The bound
    /// for a policy is the mean over prompts.
    ///
    /// For the best response it is log n − (n − 1)/n (``BestOfN/kl(n:)``). For a soft choice with probabilities w it is Σ w log(n
    /// w) = log n − H(w): the divergence between the joint distributions of the n responses and the choice, with a soft and with
    /// a uniform choice. A uniformly chosen response is distributed as the policy, and the divergence of the chosen responses
    /// alone is no greater.
    public func klBounds(_ rows: [SampleRow]) -> [Double] {
        guard case .soft(let temperature) = self else { return rows.indices.map { BestOfN.kl(n: $0 + 1) } }
        var sums = SoftSums(temperature: temperature)
        return rows.enumerated().map { place, row in
            sums.add(row.reward)
            return max(0, logarithm(Double(place + 1)) - sums.entropy)
        }
    }
}

/// Running sums over rewards, relative to the highest reward so far.
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

    /// The expected reward; 0 without rewards.
    var reward: Double { weight > 0 ? rewards / weight : 0 }
    /// The entropy of the choice in nats.
    var entropy: Double { weight > 0 ? logarithm(weight) - exponents / weight : 0 }
}
