public import Tensor

/// The loss of PPO's value head (Schulman et al. 2017) over the response tokens of some rollouts. ``PolicyLoss`` is the loss of
/// the policy. All tensors have shape [T], one number per token; the loss is a scalar. An optional mask is 1 for tokens that
/// count and 0 for padding.
public enum PPOLoss {
    /// The value loss ½ Σ max((R − v)², (R − clip(v, old ± c))²) / tokens. Without `clip` it is ½ Σ (R − v)² / tokens.
    /// - Parameters:
    ///   - values: v, the values of the current value head, [T].
    ///   - oldValues: the values at sampling time, [T].
    ///   - returns: R, the value targets, [T].
    ///   - clip: c; nil disables clipping.
    ///   - tokens: the divisor.
    ///   - mask: 1 for tokens that count, 0 for padding, [T].
    public static func value(
        values: Tensor, oldValues: Tensor, returns: Tensor, clip: Double?, tokens: Int, mask: Tensor? = nil
    ) -> Tensor {
        let plain = (returns - values).squared()
        guard let clip else { return sum(plain, mask).scaled(by: 0.5 / Float(tokens)) }
        let near = oldValues + (values - oldValues).clamped(to: Float(-clip)...Float(clip))
        return sum(Tensor.maximum(plain, (returns - near).squared()), mask).scaled(by: 0.5 / Float(tokens))
    }

    /// The number of columns in which clip(ρ, 1 ± c) A is below ρ A, so that clipping lowers the objective.
    package static func clippedPolicies(logProbs: [Float], oldLogProbs: [Float], advantages: [Float], clip: Double) -> Int {
        logProbs.indices.count { i in
            let ratio = exponential(Double(logProbs[i] - oldLogProbs[i]))
            let advantage = Double(advantages[i])
            return min(max(ratio, 1 - clip), 1 + clip) * advantage < ratio * advantage
        }
    }

    /// The number of columns in which the clipped value is farther from its target than the value, so that clipping raises the
    /// loss.
    package static func clippedValues(values: [Float], oldValues: [Float], returns: [Float], clip: Double) -> Int {
        values.indices.count { i in
            let (value, old, target) = (Double(values[i]), Double(oldValues[i]), Double(returns[i]))
            let near = old + min(max(value - old, -clip), clip)
            // a value within the clipping range is unchanged, although old + (value − old) may round differently
            return abs(value - old) > clip && (target - near) * (target - near) > (target - value) * (target - value)
        }
    }

    /// The sum over the tokens that count.
    static func sum(_ terms: Tensor, _ mask: Tensor?) -> Tensor { (mask.map { terms * $0 } ?? terms).sum() }
}
