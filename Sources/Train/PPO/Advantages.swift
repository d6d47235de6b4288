/// Generalised advantage estimation (Schulman et al. 2016).
public enum Advantages {
    /// δ_t = r_t + γ V_{t+1} − V_t and A_t = δ_t + γλ A_{t+1}, where the response's last token ends the episode (V = A = 0 behind it);
    /// the returns are A_t + V_t.
    public static func generalised(
        rewards: [Float], values: [Float], discount: Double, lambda: Double
    ) -> (advantages: [Float], returns: [Float]) {
        precondition(rewards.count == values.count, "\(rewards.count) rewards and \(values.count) values")
        var advantages = [Double](repeating: 0, count: rewards.count)
        var next = (value: 0.0, advantage: 0.0)
        for t in rewards.indices.reversed() {
            let delta = Double(rewards[t]) + discount * next.value - Double(values[t])
            advantages[t] = delta + discount * lambda * next.advantage
            next = (Double(values[t]), advantages[t])
        }
        return (advantages.map(Float.init), zip(advantages, values).map { Float($0 + Double($1)) })
    }

    /// (A − mean) / (std + 1e-8) over all tokens of the given responses, with the unbiased deviation. A single token keeps its sign
    /// only: its normalised advantage is 0.
    public static func normalised(_ advantages: [[Float]]) -> [[Float]] {
        let all = advantages.flatMap { $0 }.map(Double.init)
        guard all.count > 1 else { return advantages.map { $0.map { _ in 0 } } }
        let mean = all.reduce(0, +) / Double(all.count)
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count - 1)
        let deviation = variance.squareRoot() + 1e-8
        return advantages.map { $0.map { Float((Double($0) - mean) / deviation) } }
    }
}
