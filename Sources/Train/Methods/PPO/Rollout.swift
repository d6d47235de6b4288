public import Tensor

/// One response and everything that learning needs of it. All arrays have one number per response token.
public struct Rollout {
    /// The example that the prompt comes from.
    public var id: String
    /// What the policy read.
    public var prompt: [Int32]
    /// The response, with the end-of-sequence token when it was drawn.
    public var response: [Int32]
    /// How many tokens of the response count: all, unless it has been filled up with padding. Arrays have a number for the padding, too.
    public var length: Int
    /// Whether the response ended by itself.
    public var ended: Bool
    /// log p of each token when it was drawn.
    public var logProbs: [Float]
    /// log p of each token under the reference model.
    public var referenceLogProbs: [Float]
    /// The value of the state that each token was drawn in, at that time.
    public var values: [Float]
    /// The reward function's number for the whole response, as it is learned from (scaled, with penalties).
    public var score: Double
    /// What each token is rewarded with: −coefficient · KL, and the score at the last token.
    public var rewards: [Float] = []
    /// How much better each token did than expected; empty until it is computed.
    public var advantages: [Float] = []
    /// What the value of each token's state is to become; empty until it is computed.
    public var returns: [Float] = []
    /// The states behind the frozen layers of prompt and response without its last token: [P + R − 1, C].
    public var trunk: Tensor?

    /// A rollout before its rewards are known to each token.
    public init(
        id: String, prompt: [Int32], response: [Int32], ended: Bool, logProbs: [Float], referenceLogProbs: [Float] = [],
        values: [Float], score: Double = 0, trunk: Tensor? = nil
    ) {
        self.id = id
        self.prompt = prompt
        self.response = response
        length = response.count
        self.ended = ended
        self.logProbs = logProbs
        self.referenceLogProbs = referenceLogProbs
        self.values = values
        self.score = score
        self.trunk = trunk
    }

    /// Σ log p_policy − log p_reference over the response: the k1 estimate of the sequence's KL.
    public var sequenceKL: Double {
        zip(logProbs, referenceLogProbs).prefix(length).reduce(0) { $0 + Double($1.0 - $1.1) }
    }

    /// The configured KL estimates of the response, summed; of the padding behind it, too, where the settings count that.
    public func estimatedKL(_ config: PPOConfig) -> Double {
        let columns = config.compatibility.measuresOverPadding ? response.count : length
        return zip(logProbs, referenceLogProbs).prefix(columns).reduce(0) {
            $0 + TokenRewards.kl(policy: Double($1.0), reference: Double($1.1), estimator: config.klEstimator)
        }
    }

    /// The KL that an adaptive weight follows: ``sequenceKL``, or ``estimatedKL(_:)`` of all columns.
    func controlledKL(_ config: PPOConfig) -> Double {
        config.compatibility.measuresOverPadding ? estimatedKL(config) : sequenceKL
    }
}
