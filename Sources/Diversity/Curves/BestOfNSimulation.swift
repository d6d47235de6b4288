import Eval
import Foundation

/// Simulates best-of-N selection from samples that already have rewards.
///
/// With m samples of an input, every n ≤ m can be evaluated without generating new samples: exactly, by order statistics, for
/// means over the selected sample; by random draws for the diversity of sets.
public enum BestOfNSimulation {
    /// The probability that each sample is the best of `n` samples drawn without replacement.
    ///
    /// The sample of rank i of m (1 is the worst) is selected with probability `C(i − 1, n − 1) / C(m, n)`; samples with equal
    /// rewards share the probabilities of their ranks equally. The probabilities sum to 1.
    /// - Throws: ``DiversityError/cannotDraw(n:of:)``; ``DiversityError/rewardNotFinite(index:)``.
    public static func selectionProbabilities(rewards: [Double], n: Int) throws -> [Double] {
        let count = rewards.count
        guard n >= 1, n <= count else { throw DiversityError.cannotDraw(n: n, of: count) }
        if let index = rewards.firstIndex(where: { !$0.isFinite }) {
            throw DiversityError.rewardNotFinite(index: index)
        }
        // byRank[i] = C(i, n − 1) / C(m, n) for 0-based rank i, by the recurrence from the best rank (n / m) downwards.
        var byRank = [Double](repeating: 0, count: count)
        byRank[count - 1] = Double(n) / Double(count)
        for i in stride(from: count - 1, to: n - 1, by: -1) {
            byRank[i - 1] = byRank[i] * Double(i - n + 1) / Double(i)
        }
        let order = rewards.indices.sorted { rewards[$0] < rewards[$1] }
        var probabilities = [Double](repeating: 0, count: count)
        var start = 0
        while start < count {
            var end = start
            var sum = 0.0
            while end < count, rewards[order[end]] == rewards[order[start]] {
                sum += byRank[end]
                end += 1
            }
            for i in start..<end { probabilities[order[i]] = sum / Double(end - start) }
            start = end
        }
        return probabilities
    }

    /// The expected value of `values` at the best of `n` samples; with `values` equal to `rewards`, the expected best reward.
    /// - Throws: as ``selectionProbabilities(rewards:n:)``.
    public static func expectation(of values: [Double], rewards: [Double], n: Int) throws -> Double {
        precondition(values.count == rewards.count, "\(values.count) values but \(rewards.count) rewards")
        let probabilities = try selectionProbabilities(rewards: rewards, n: n)
        return zip(values, probabilities).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The expected best reward for every n from 1 to the number of samples.
    /// - Throws: as ``selectionProbabilities(rewards:n:)``; ``DiversityError/cannotDraw(n:of:)`` if there are no rewards.
    public static func curve(rewards: [Double]) throws -> [Double] {
        try (1...max(1, rewards.count)).map { try expectation(of: rewards, rewards: rewards, n: $0) }
    }

    /// Kullback–Leibler divergence of best-of-n from the sampling policy in nats, `log n − (n − 1) / n`: exact if no two
    /// samples tie, an upper bound otherwise (Beirami et al., 2024).
    public static func divergence(n: Int) -> Double {
        precondition(n >= 1, "n of best-of-n must be at least 1, got \(n)")
        return log(Double(n)) - Double(n - 1) / Double(n)
    }

    /// Simulates `draws` outputs: for each, `n` samples are drawn without replacement and the best one is kept.
    ///
    /// - Returns: the indices of the kept samples, `draws` of them; among equal rewards, the first drawn is kept.
    /// - Throws: as ``selectionProbabilities(rewards:n:)``.
    public static func draws(
        rewards: [Double], n: Int, count draws: Int, using generator: inout some RandomNumberGenerator
    ) throws -> [Int] {
        guard n >= 1, n <= rewards.count else { throw DiversityError.cannotDraw(n: n, of: rewards.count) }
        if let index = rewards.firstIndex(where: { !$0.isFinite }) {
            throw DiversityError.rewardNotFinite(index: index)
        }
        var random = SplitMix64(from: &generator)
        return (0..<draws).map { _ in
            let drawn = random.distinctIndices(n, below: rewards.count)
            return drawn.dropFirst().reduce(drawn[0]) { rewards[$1] > rewards[$0] ? $1 : $0 }
        }
    }
}
