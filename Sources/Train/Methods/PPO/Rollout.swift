package import Models

/// One response and everything that learning needs of it. All arrays have one number per response token.
package struct Rollout {
    /// The example that the prompt comes from.
    package var id: String
    /// The prompt's number in the step: responses to the same one are a group.
    package var group = 0
    /// The score of the greedy response to the prompt, where it is asked for.
    package var greedyScore: Double?
    /// What the policy read.
    package var prompt: [Int32]
    /// The response, with the end-of-sequence token when it was drawn.
    package var response: [Int32]
    /// How many tokens of the response count: all, unless it has been filled up with padding. Arrays have a number for the padding, too.
    package var length: Int
    /// Whether the response ended by itself.
    package var ended: Bool
    /// log p of each token when it was drawn.
    package var logProbs: [Float]
    /// The value of the state that each token was drawn in, at that time; empty without a value head.
    package var values: [Float]
    /// log p of each token under the reference model; empty without one.
    package var referenceLogProbs: [Float] = []
    /// The reward function's number for the whole response, as it is learned from (scaled, with penalties).
    package var score = 0.0
    /// What each token is rewarded with: −coefficient · KL, and the score at the last token.
    package var rewards: [Float] = []
    /// How much better each token did than expected; empty until it is computed.
    package var advantages: [Float] = []
    /// What the value of each token's state is to become; empty until it is computed.
    package var returns: [Float] = []
    /// The states behind the frozen layers, where generation has put them: those of prompt and response, and of what closes it.
    package var trunk: TrunkRows?

    /// A response as it was drawn.
    package init(id: String, prompt: [Int32], response drawn: GeneratedResponse) {
        (self.id, self.prompt, response, length, ended) = (id, prompt, drawn.tokens, drawn.tokens.count, drawn.ended)
        (logProbs, values, trunk) = (drawn.logProbs, drawn.values, drawn.trunk)
    }

    /// The tokens of prompt and response.
    var count: Int { prompt.count + response.count }

    /// Σ log p_policy − log p_reference over the response: the k1 estimate of the sequence's KL.
    package var sequenceKL: Double {
        zip(logProbs, referenceLogProbs).prefix(length).reduce(0) { $0 + Double($1.0 - $1.1) }
    }

    /// The KL estimates of the response's first columns, summed.
    package func estimatedKL(_ estimator: PPOConfig.KLEstimator, columns: Int) -> Double {
        zip(logProbs, referenceLogProbs).prefix(columns).reduce(0) {
            $0 + TokenRewards.kl(policy: Double($1.0), reference: Double($1.1), estimator: estimator)
        }
    }
}
