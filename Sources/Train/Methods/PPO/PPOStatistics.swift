import Tensor

/// The means of metrics over the steps since the last log line.
package struct PPOStatistics {
    private var sums: [String: Double] = [:]
    private var counts: [String: Double] = [:]
    private var greatest: [String: Double] = [:]

    /// The accumulated state as plain numbers, for a snapshot.
    var numbers: [String: Double] {
        var result: [String: Double] = [:]
        for (name, sum) in sums { result["sum.\(name)"] = sum }
        for (name, count) in counts { result["count.\(name)"] = count }
        for (name, value) in greatest { result["greatest.\(name)"] = value }
        return result
    }

    /// Restores the state from ``numbers``; other keys are ignored.
    init(numbers: [String: Double] = [:]) {
        for (key, value) in numbers {
            guard let dot = key.firstIndex(of: ".") else { continue }
            let name = String(key[key.index(after: dot)...])
            switch key[..<dot] {
            case "sum": sums[name] = value
            case "count": counts[name] = value.isFinite ? max(0, value) : 0
            case "greatest": greatest[name] = value
            default: break
            }
        }
    }

    /// Adds the sums and extremes of another rank.
    mutating func merge(_ other: PPOStatistics) {
        sums.merge(other.sums) { $0 + $1 }
        counts.merge(other.counts) { $0 + $1 }
        greatest.merge(other.greatest) { max($0, $1) }
    }

    mutating func add(_ name: String, _ value: Double, weight: Double = 1) {
        sums[name, default: 0] += value * weight
        counts[name, default: 0] += weight
    }

    /// Tracks the maximum of some numbers under a name `max_…`, and their minimum under the same name with `min_…`.
    mutating func extreme(_ name: String, _ values: [Float]) {
        guard let most = values.max(), let least = values.min() else { return }
        greatest[name] = max(greatest[name] ?? -.infinity, Double(most))
        let other = "min_" + name.dropFirst(4)
        // the minimum is stored with the opposite sign, so that snapshots hold maxima only
        greatest[other] = max(greatest[other] ?? -.infinity, -Double(least))
    }

    /// The mean so far; nil if nothing has been added.
    func mean(_ name: String) -> Double? {
        guard let sum = sums[name], let count = counts[name], count > 0 else { return nil }
        return sum / count
    }

    /// Adds the metrics of one step's rollouts.
    /// - Parameters:
    ///   - rawScores: the scores of the reward function, before shaping.
    ///   - klCoefficient: the weight of the KL in their rewards.
    ///   - textLengths: the numbers of tokens of the responses' texts, if the original code's lengths are wanted.
    mutating func add(
        _ rollouts: [Rollout], rawScores: [Double], klCoefficient: Double, textLengths: [Int]?,
        arithmetic: any PPOArithmetic
    ) {
        let tokens = rollouts.reduce(0) { $0 + $1.length }
        func counted(_ path: KeyPath<Rollout, [Float]>) -> [Double] {
            rollouts.flatMap { rollout in rollout[keyPath: path].prefix(rollout.length).map(Double.init) }
        }
        for (rollout, raw) in zip(rollouts, rawScores) {
            add("mean_score", raw)
            add("mean_reward", rollout.score)
            let columns = arithmetic.columns(of: rollout)
            let total = rollout.rewards.prefix(columns).reduce(0) { $0 + Double($1) }
            add("mean_total_reward", total)
            add("end_share", rollout.ended ? 1 : 0)
            guard !rollout.referenceLogProbs.isEmpty else { continue }
            let kl = rollout.estimatedKL(arithmetic.config.klEstimator, columns: columns)
            add("kl_div", kl)
            add("mean_kl_reward", -klCoefficient * kl)
            add("kl_sequence", rollout.sequenceKL)
            add("kl_controlled", arithmetic.controlledKL(of: rollout))
            for (policy, reference) in zip(rollout.logProbs, rollout.referenceLogProbs).prefix(columns) {
                for estimator in PPOConfig.KLEstimator.allCases {
                    let kl = TokenRewards.kl(policy: Double(policy), reference: Double(reference), estimator: estimator)
                    add("kl_k\(estimator.rawValue)", kl)
                }
            }
        }
        // the share of the returns' variance that the values explain
        let returns = counted(\.returns)
        let values = counted(\.values)
        let errors = zip(returns, values).map { $0 - $1 }
        let variance = Self.variance(returns)
        if variance > 0 { add("explained_variance", 1 - Self.variance(errors) / variance) }
        let advantages = counted(\.advantages)
        add("rollout_advantages", advantages.reduce(0, +) / Double(max(1, tokens)))
        add("rollout_advantages_std", Self.variance(advantages).squareRoot())
        if !values.isEmpty { add("mean_baseline", values.reduce(0, +) / Double(max(1, tokens))) }
        extreme("max_baseline", values.map { Float($0) })
        add(lengths: rollouts.map(\.length), named: "response_tokens")
        if let textLengths { add(lengths: textLengths, named: "response_length") }
    }

    /// Adds the statistics of a pass's log-probabilities, column by column.
    mutating func add(logProbs: [Float], old: [Float], advantages: [Float], clip: Double?, weight: Double) {
        let differences = zip(logProbs, old).map { Double($0 - $1) }
        let ratios = differences.map { exponential($0) }
        let count = Double(max(1, ratios.count))
        if let clip {
            add("clipped_ratio_fraction", Double(ratios.count { abs($0 - 1) > clip }) / count, weight: weight)
            let clipped = PPOLoss.clippedPolicies(logProbs: logProbs, oldLogProbs: old, advantages: advantages, clip: clip)
            add("clipped_policy_fraction", Double(clipped) / count, weight: weight)
        }
        // the k3 estimate of KL(old ‖ new)
        let kl = zip(differences, ratios).reduce(0) { $0 + $1.1 - 1 - $1.0 }
        add("kl_old_new", kl / count, weight: weight)
        extreme("max_ratio", ratios.map(Float.init))
    }

    /// Adds the statistics of a pass's values, column by column.
    mutating func add(values: [Float], old: [Float], returns: [Float], clip: Double?, weight: Double) {
        guard let clip else { return }
        let count = Double(max(1, values.count))
        let clipped = zip(values, old).count { Double(abs($0 - $1)) > clip }
        add("clipped_value_fraction", Double(clipped) / count, weight: weight)
        let lower = PPOLoss.clippedValues(values: values, oldValues: old, returns: returns, clip: clip)
        add("clipped_baseline_fraction", Double(lower) / count, weight: weight)
    }

    private mutating func add(lengths: [Int], named name: String) {
        guard !lengths.isEmpty else { return }
        for length in lengths { add("mean_" + name, Double(length)) }
        let sorted = lengths.sorted()
        add("median_" + name, Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2)
    }

    static func variance(_ x: [Double]) -> Double {
        guard !x.isEmpty else { return 0 }
        let mean = x.reduce(0, +) / Double(x.count)
        return x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    }

    /// Returns the means and resets the statistics.
    mutating func take() -> [String: Double] {
        var result: [String: Double] = [:]
        for (name, sum) in sums { result[name] = sum / (counts[name].flatMap { $0 > 0 ? $0 : nil } ?? 1) }
        for (name, value) in greatest { result[name] = name.hasPrefix("min_") ? -value : value }
        self = PPOStatistics()
        return result
    }
}
