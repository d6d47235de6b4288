/// Generalised advantage estimation (Schulman et al. 2016) and V-trace targets (Espeholt et al. 2018).
public enum Advantages {
    /// The advantages and returns of one response, as in the paper's code. Without ratios they follow generalised advantage
    /// estimation: δ_t = r_t + γ V_{t+1} − V_t, A_t = δ_t + γλ A_{t+1}, and the returns are A_t + V_t.
    ///
    /// With w_t = min(1, ρ_t), which is 1 without ratios, and γ_t = 0 at `end`, otherwise γ:
    ///
    ///     δ_t = w_t (r_t + γ_t V_{t+1} − V_t)      R_t = V_t + δ_t + γ_t λ w_t (R_{t+1} − V_{t+1})
    ///     A_t = w_t (δ_t + γ_t λ A'_{t+1})          A' is A without its leading factor w; it has no trace weight
    ///     A_t = w_t (r_t + γ_t R_{t+1} − V_t)       without GAE
    ///
    /// - Parameters:
    ///   - rewards: r_t of every column.
    ///   - values: V_t of every column.
    ///   - end: the column that ends the episode. Default: the last one. Later columns are padding and are computed in the same
    ///     way.
    ///   - bootstrap: V (and R) after the last column. It does not affect the columns up to `end`.
    ///   - ratios: ρ_t = p_learner / p_behaviour of every column, for the importance correction.
    ///   - discount: γ.
    ///   - lambda: λ.
    ///   - usesGAE: whether advantages follow the recursion of GAE; otherwise they follow the returns.
    public static func estimated(
        rewards: [Float], values: [Float], end: Int? = nil, bootstrap: Float = 0, ratios: [Float]? = nil, discount: Double,
        lambda: Double, usesGAE: Bool = true
    ) -> (advantages: [Float], returns: [Float]) {
        precondition(rewards.count == values.count, "\(rewards.count) rewards and \(values.count) values")
        precondition(ratios.map { $0.count == rewards.count } ?? true, "one ratio for every reward")
        let end = end ?? rewards.count - 1
        var advantages = [Float](repeating: 0, count: rewards.count)
        var returns = advantages
        var next = (value: Double(bootstrap), advantage: 0.0, trace: 0.0)
        for t in rewards.indices.reversed() {
            let (reward, value) = (Double(rewards[t]), Double(values[t]))
            let weight = ratios.map { min(1, Double($0[t])) } ?? 1
            let discount = t == end ? 0 : discount
            let delta = weight * (reward + discount * next.value - value)
            let advantage = delta + discount * lambda * next.advantage
            let trace = delta + discount * lambda * weight * next.trace
            let following = reward + discount * (next.value + next.trace) - value
            advantages[t] = Float(weight * (usesGAE ? advantage : following))
            returns[t] = Float(value + trace)
            next = (value, advantage, trace)
        }
        return (advantages, returns)
    }

    /// The mean and standard deviation of the advantages of some responses.
    /// - Parameters:
    ///   - advantages: the advantages, one row per response.
    ///   - lengths: the number of columns of each response that count. Default: all.
    public static func moments(of advantages: [[Float]], lengths: [Int]? = nil) -> RunningMoments {
        var moments = RunningMoments()
        for (row, columns) in advantages.enumerated() {
            columns.prefix(lengths?[row] ?? columns.count).forEach { moments.add(Double($0)) }
        }
        return moments
    }

    /// Normalised advantages: (A − mean) / (deviation + 1e-8). If the moments are those of fewer than two numbers, all results
    /// are 0.
    /// - Parameters:
    ///   - advantages: the advantages to normalise, one row per response.
    ///   - moments: the mean and standard deviation, which may include other advantages.
    ///   - deviation: the standard deviation. Default: the unbiased one of `moments`.
    public static func normalised(_ advantages: [[Float]], by moments: RunningMoments, deviation: Double? = nil) -> [[Float]] {
        guard moments.count > 1 else { return advantages.map { $0.map { _ in 0 } } }
        let deviation = deviation ?? moments.deviation
        return advantages.map { $0.map { Float((Double($0) - moments.mean) / (deviation + 1e-8)) } }
    }
}

/// The mean and standard deviation of a stream of numbers (Welford 1962; merged as in Chan et al. 1983).
public struct RunningMoments: Codable, Sendable, Equatable {
    /// The number of values.
    public private(set) var count = 0.0
    /// The mean of the values.
    public private(set) var mean = 0.0
    /// Σ (x − mean)².
    public private(set) var squares = 0.0

    /// The moments of an empty stream.
    public init() {}

    /// The moments from a snapshot.
    init(count: Double, mean: Double, squares: Double) {
        (self.count, self.mean, self.squares) = (count, mean, squares)
    }

    /// Adds one value.
    public mutating func add(_ x: Double) { merge(RunningMoments(count: 1, mean: x, squares: 0)) }

    /// Adds all values of another stream.
    public mutating func merge(_ other: RunningMoments) {
        guard other.count > 0 else { return }
        let total = count + other.count
        let difference = other.mean - mean
        squares += other.squares + difference * difference * count * other.count / total
        mean += difference * other.count / total
        count = total
    }

    /// The moments of the values of both streams.
    public func merged(with other: RunningMoments) -> RunningMoments {
        var result = self
        result.merge(other)
        return result
    }

    /// The unbiased standard deviation; 0 for fewer than two values.
    public var deviation: Double { count > 1 ? (squares / (count - 1)).squareRoot() : 0 }
}
