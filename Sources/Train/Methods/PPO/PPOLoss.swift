public import Tensor

/// The terms of PPO's loss (Schulman et al. 2017) over the response tokens of some rollouts, each divided by `tokens`. All tensors have one
/// number a token, [T]; each term is a scalar. A mask, where given, is 1 for tokens that count and 0 for padding.
public enum PPOLoss {
    /// −Σ min(ρA, clip(ρ, 1 ± c) A) / tokens with ρ = exp(log p − old log p). Without c it is the plain policy gradient of the published
    /// code, −Σ log p · A / tokens, which `correctsImportance` makes that of V-trace.
    public static func policy(
        logProbs: Tensor, oldLogProbs: Tensor, advantages: Tensor, clip: Double?, tokens: Int, mask: Tensor? = nil
    ) -> Tensor {
        guard let clip else { return sum(logProbs * advantages, mask).scaled(by: -1 / Float(tokens)) }
        let ratio = (logProbs - oldLogProbs).exponentiated()
        let plain = ratio * advantages
        let clipped = ratio.clamped(to: Float(1 - clip)...Float(1 + clip)) * advantages
        return sum(Tensor.minimum(plain, clipped), mask).scaled(by: -1 / Float(tokens))
    }

    /// ½ Σ max((R − v)², (R − clip(v, old ± c))²) / tokens.
    public static func value(
        values: Tensor, oldValues: Tensor, returns: Tensor, clip: Double?, tokens: Int, mask: Tensor? = nil
    ) -> Tensor {
        let plain = (returns - values).squared()
        guard let clip else { return sum(plain, mask).scaled(by: 0.5 / Float(tokens)) }
        let near = oldValues + (values - oldValues).clamped(to: Float(-clip)...Float(clip))
        return sum(Tensor.maximum(plain, (returns - near).squared()), mask).scaled(by: 0.5 / Float(tokens))
    }

    /// Σ KL(policy, reference) / tokens from the tokens' log-probabilities, differentiable, for runs whose KL is part of the loss.
    public static func kl(
        logProbs: Tensor, referenceLogProbs: Tensor, estimator: PPOConfig.KLEstimator, tokens: Int,
        mask: Tensor? = nil
    ) -> Tensor {
        let d = referenceLogProbs - logProbs
        let terms: Tensor
        switch estimator {
        case .k1: terms = -d
        case .k2: terms = d.squared().scaled(by: 0.5)
        case .k3: terms = d.exponentiated() - d - .filled(1, d.shape)
        }
        return sum(terms, mask).scaled(by: 1 / Float(tokens))
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
