import Foundation

/// Computes token rewards from scores and log-probabilities.
public enum TokenRewards {
    /// The KL estimate of one sampled token in nats (k1, k2 and k3: Schulman 2020), from d = log p_reference − log p_policy.
    public static func kl(policy: Double, reference: Double, estimator: PPOConfig.KLEstimator) -> Double {
        let d = reference - policy
        switch estimator {
        case .k1: return -d
        case .k2: return d * d / 2
        case .k3: return expm1(d) - d
        }
    }

    /// The shaped score: the reward function's score with length penalties and the end bonus, or `missingEndScore` for a response
    /// without an end-of-sequence token; then multiplied by `rewardScale`.
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

    /// The reward of every token: −coefficient · KL, with the score added at the last token, then clipped.
    /// - Parameters:
    ///   - logProbs: the policy's log-probabilities of the tokens.
    ///   - referenceLogProbs: the reference's log-probabilities; empty without a reference, in which case there is no KL.
    ///   - score: the shaped score.
    ///   - klCoefficient: the weight of the KL.
    ///   - config: the settings: whether the KL is part of the reward, the KL estimator and the reward clip.
    ///   - end: the index of the last token. Default: the last column.
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
