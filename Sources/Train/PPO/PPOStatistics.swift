import Foundation

/// Means over the steps since the last log line.
struct PPOStatistics {
    private var sums: [String: Double] = [:]
    private var counts: [String: Int] = [:]
    private var greatest: [String: Double] = [:]

    /// What has been added so far as plain numbers, for a snapshot.
    var numbers: [String: Double] {
        var result: [String: Double] = [:]
        for (name, sum) in sums { result["sum.\(name)"] = sum }
        for (name, count) in counts { result["count.\(name)"] = Double(count) }
        for (name, value) in greatest { result["greatest.\(name)"] = value }
        return result
    }

    /// Goes on from ``numbers``; other keys are not looked at.
    init(numbers: [String: Double] = [:]) {
        for (key, value) in numbers {
            guard let dot = key.firstIndex(of: ".") else { continue }
            let name = String(key[key.index(after: dot)...])
            switch key[..<dot] {
            case "sum": sums[name] = value
            case "count": counts[name] = Int(value)
            case "greatest": greatest[name] = value
            default: break
            }
        }
    }

    mutating func add(_ name: String, _ value: Double, count: Int = 1) {
        sums[name, default: 0] += value * Double(count)
        counts[name, default: 0] += count
    }

    mutating func extreme(_ name: String, _ value: Double) {
        greatest[name] = max(greatest[name] ?? -.infinity, value)
    }

    /// The numbers of one step's rollouts.
    mutating func add(_ rollouts: [Rollout], rawScores: [Double], config: PPOConfig) {
        let tokens = rollouts.reduce(0) { $0 + $1.response.count }
        for (rollout, raw) in zip(rollouts, rawScores) {
            add("mean_score", raw)
            add("mean_reward", rollout.score)
            add("mean_total_reward", rollout.rewards.reduce(0) { $0 + Double($1) })
            add("mean_kl_reward", rollout.rewards.reduce(0) { $0 + Double($1) } - rollout.score)
            add("mean_response_length", Double(rollout.response.count))
            add("end_share", rollout.ended ? 1 : 0)
            add("kl_sequence", rollout.sequenceKL)
            for (policy, reference) in zip(rollout.logProbs, rollout.referenceLogProbs) {
                for estimator in PPOConfig.KLEstimator.allCases {
                    let kl = TokenRewards.kl(policy: Double(policy), reference: Double(reference), estimator: estimator)
                    add("kl_k\(estimator.rawValue)", kl)
                    if estimator == config.klEstimator { add("kl_div", kl) }
                }
            }
        }
        // share of the returns' variance that the values explain
        let returns = rollouts.flatMap(\.returns).map(Double.init)
        let errors = zip(returns, rollouts.flatMap(\.values)).map { $0 - Double($1) }
        let variance = Self.variance(returns)
        if variance > 0 { add("explained_variance", 1 - Self.variance(errors) / variance) }
        let advantages = rollouts.flatMap(\.advantages).map(Double.init)
        add("sample_advantages", advantages.reduce(0, +) / Double(max(1, tokens)))
        add("sample_advantages_std", Self.variance(advantages).squareRoot())
        add("mean_baseline", rollouts.flatMap(\.values).reduce(0) { $0 + Double($1) } / Double(max(1, tokens)))
    }

    static func variance(_ x: [Double]) -> Double {
        guard !x.isEmpty else { return 0 }
        let mean = x.reduce(0, +) / Double(x.count)
        return x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    }

    /// The means, and a fresh start.
    mutating func take() -> [String: Double] {
        var result: [String: Double] = [:]
        for (name, sum) in sums { result[name] = sum / Double(max(1, counts[name] ?? 1)) }
        result.merge(greatest) { $1 }
        self = PPOStatistics()
        return result
    }
}
