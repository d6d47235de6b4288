public import Tensor

/// The loss of PPO's value head (Schulman et al. 2017) over the response tokens of some rollouts; ``PolicyLoss`` is that of the policy. All
/// tensors have one number a token, [T]; the loss is a scalar. A mask, where given, is 1 for tokens that count and 0 for padding.
public enum PPOLoss {
    /// ½ Σ max((R − v)², (R − clip(v, old ± c))²) / tokens.
    public static func value(
        values: Tensor, oldValues: Tensor, returns: Tensor, clip: Double?, tokens: Int, mask: Tensor? = nil
    ) -> Tensor {
        let plain = (returns - values).squared()
        guard let clip else { return sum(plain, mask).scaled(by: 0.5 / Float(tokens)) }
        let near = oldValues + (values - oldValues).clamped(to: Float(-clip)...Float(clip))
        return sum(Tensor.maximum(plain, (returns - near).squared()), mask).scaled(by: 0.5 / Float(tokens))
    }

    /// Columns in which clip(ρ, 1 ± c) A is below ρ A: clipping lowers the objective.
    package static func clippedPolicies(logProbs: [Float], oldLogProbs: [Float], advantages: [Float], clip: Double) -> Int {
        logProbs.indices.count { i in
            let ratio = exponential(Double(logProbs[i] - oldLogProbs[i]))
            let advantage = Double(advantages[i])
            return min(max(ratio, 1 - clip), 1 + clip) * advantage < ratio * advantage
        }
    }

    /// Columns in which the clipped value is further from its target than the value: clipping raises the loss.
    package static func clippedValues(values: [Float], oldValues: [Float], returns: [Float], clip: Double) -> Int {
        values.indices.count { i in
            let (value, old, target) = (Double(values[i]), Double(oldValues[i]), Double(returns[i]))
            let near = old + min(max(value - old, -clip), clip)
            // a value within reach is itself, whatever rounding makes of old + (value − old)
            return abs(value - old) > clip && (target - near) * (target - near) > (target - value) * (target - value)
        }
    }

    /// The sum of what counts.
    static func sum(_ terms: Tensor, _ mask: Tensor?) -> Tensor { (mask.map { terms * $0 } ?? terms).sum() }
}
