package import Models

/// One response with everything that learning needs. All arrays have one number per response token.
package struct Rollout {
    /// The ID of the prompt's example.
    package var id: String
    /// The number of the prompt in the step. Responses to the same prompt form a group.
    package var group = 0
    /// The score of the greedy response to the prompt, if the method needs it.
    package var greedyScore: Double?
    /// The tokens of the prompt.
    package var prompt: [Int32]
    /// The tokens of the response, including the end-of-sequence token if it was sampled.
    package var response: [Int32]
    /// The number of response tokens that count: all tokens without padding. Arrays also have numbers for the padding.
    package var length: Int
    /// Whether the response ended with an end-of-sequence token.
    package var ended: Bool
    /// log p of each token at sampling time.
    package var logProbs: [Float]
    /// The value of the state before each token, at sampling time; empty without a value head.
    package var values: [Float]
    /// log p of each token under the reference model; empty without one.
    package var referenceLogProbs: [Float] = []
    /// The shaped score of the whole response: scaled, with bonuses and penalties.
    package var score = 0.0
    /// The reward of each token: −coefficient · KL, plus the score at the last token.
    package var rewards: [Float] = []
    /// The advantage of each token; empty until it is computed.
    package var advantages: [Float] = []
    /// The value target of each token; empty until it is computed.
    package var returns: [Float] = []
    /// The states after the frozen layers from generation, for the tokens of prompt and response and for the closing token.
    package var trunk: TrunkRows?
    /// The rank that holds ``trunk``, among several ranks; nil if none does.
    var trunkRank: Int?

    /// A response as it was sampled.
    package init(id: String, prompt: [Int32], response drawn: GeneratedResponse) {
        (self.id, self.prompt, response, length, ended) = (id, prompt, drawn.tokens, drawn.tokens.count, drawn.ended)
        (logProbs, values, trunk) = (drawn.logProbs, drawn.values, drawn.trunk)
    }

    /// The number of tokens of prompt and response.
    var count: Int { prompt.count + response.count }

    /// Σ log p_policy − log p_reference over the response: the k1 estimate of the sequence's KL.
    package var sequenceKL: Double {
        zip(logProbs, referenceLogProbs).prefix(length).reduce(0) { $0 + Double($1.0 - $1.1) }
    }

    /// The sum of the KL estimates of the response's first columns.
    package func estimatedKL(_ estimator: PPOConfig.KLEstimator, columns: Int) -> Double {
        zip(logProbs, referenceLogProbs).prefix(columns).reduce(0) {
            $0 + TokenRewards.kl(policy: Double($1.0), reference: Double($1.1), estimator: estimator)
        }
    }
}
