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

    /// The score that is learned from: the reward function's number with the length penalty and the end bonus added, or the penalty
    /// score of a response that did not end; then scaled.
    public static func shapedScore(_ score: Double, length: Int, ended: Bool, config: PPOConfig) -> Double {
        var result = score
        if let penalty = config.lengthPenalty {
            result -= penalty.coefficient * pow(Double(length) / Double(config.sampling.maxNewTokens), penalty.power)
        }
        if ended { result += config.endBonus }
        if !ended, let missing = config.missingEndScore { result = missing }
        return result * config.rewardScale
    }

    /// −coefficient · KL for every token, with the score added at the last one, clipped afterwards.
    /// - Parameter end: the index of the last token; of the last column unless given.
    public static func rewards(
        logProbs: [Float], referenceLogProbs: [Float], score: Double, klCoefficient: Double, config: PPOConfig,
        end: Int? = nil
    ) -> [Float] {
        var result = zip(logProbs, referenceLogProbs).map { policy, reference in
            config.klAsReward
                ? -klCoefficient
                    * kl(policy: Double(policy), reference: Double(reference), estimator: config.klEstimator) : 0
        }
        if !result.isEmpty { result[end ?? result.count - 1] += score }
        if let clip = config.rewardClip { result = result.map { min(max($0, -clip), clip) } }
        return result.map(Float.init)
    }
}
