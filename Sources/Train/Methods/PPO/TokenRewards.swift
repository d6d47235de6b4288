import Foundation

/// From scores and log-probabilities to a reward for every token.
public enum TokenRewards {
    /// The KL estimate of one sampled token in nats (Schulman 2020, k1, k2 and k3), from d = log p_reference − log p_policy.
    public static func kl(policy: Double, reference: Double, estimator: PPOConfig.KLEstimator) -> Double {
        let d = reference - policy
        switch estimator {
        case .k1: return -d
        case .k2: return d * d / 2
        case .k3: return expm1(d) - d
        }
    }

    /// The score that is learned from: the reward function's number with the penalties of its length and the end bonus added, or the penalty
    /// score of a response that did not end; then scaled.
    public static func shapedScore(_ score: Double, length: Int, ended: Bool, config: PPOConfig) -> Double {
        var result = score
        if let penalty = config.lengthPenalty {
            result -= penalty.coefficient * pow(Double(length) / Double(config.sampling.maxNewTokens), penalty.power)
        }
        if let buffer = config.overlongBuffer {
            let beyond = length - (config.sampling.maxNewTokens - buffer)
            result -= config.overlongPenalty * Double(max(0, beyond)) / Double(buffer)
        }
        if ended { result += config.endBonus }
        if !ended, let missing = config.missingEndScore { result = missing }
        return result * config.rewardScale
    }

    /// −coefficient · KL for every token, with the score added at the last one, clipped afterwards.
    /// - Parameters:
    ///   - referenceLogProbs: none where there is no reference; then there is no KL, either.
    ///   - end: the index of the last token; of the last column unless given.
    public static func rewards(
        logProbs: [Float], referenceLogProbs: [Float], score: Double, klCoefficient: Double, config: PPOConfig,
        end: Int? = nil
    ) -> [Float] {
        var result = [Double](repeating: 0, count: logProbs.count)
        if config.klAsReward {
            for (t, (policy, reference)) in zip(logProbs, referenceLogProbs).enumerated() {
                result[t] = -klCoefficient * kl(policy: Double(policy), reference: Double(reference), estimator: config.klEstimator)
            }
        }
        if !result.isEmpty { result[end ?? result.count - 1] += score }
        if let clip = config.rewardClip { result = result.map { min(max($0, -clip), clip) } }
        return result.map(Float.init)
    }
}
