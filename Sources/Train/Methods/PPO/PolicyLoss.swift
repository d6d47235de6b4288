import Tensor

/// What a token's probability ratio is a ratio of.
public enum RatioLevel: String, Sendable, CaseIterable {
    /// The token: p(token) / p_old(token).
    case token
    /// The response, as a geometric mean over its tokens (GSPO: Zheng et al. 2025).
    case sequenceMean = "sequence-mean"
    /// The response: the product over its tokens (RLOO: Ahmadian et al. 2024).
    case sequenceSum = "sequence-sum"
}

/// How terms of tokens become the loss of an optimiser step: Σ weight · term, one weight for all tokens of a response.
///
/// One of your own is a value of this type in ``PPOConfig/aggregation``.
public struct LossAggregation: Sendable {
    /// The name.
    public let name: String
    /// The weight of each token of a response that has so many.
    public let weight: @Sendable (_ tokens: Int, _ batch: LossBatch) -> Double

    /// An aggregation; see the properties.
    public init(_ name: String, weight: @escaping @Sendable (_ tokens: Int, _ batch: LossBatch) -> Double) {
        self.name = name
        self.weight = weight
    }

    /// The mean over all tokens (PPO; DAPO: Yu et al. 2025).
    public static let tokens = LossAggregation("tokens") { 1 / Double($1.tokens) }
    /// The mean over responses of the means over their tokens (GRPO: Shao et al. 2024).
    public static let sequences = LossAggregation("sequences") { 1 / Double(max(1, $0) * $1.responses) }
    /// The mean over responses of the sums over their tokens.
    public static let sequenceSums = LossAggregation("sequence-sums") { 1 / Double($1.responses) }
    /// The sum over all tokens, divided by what responses of full length would have (Dr. GRPO: Liu et al. 2025).
    public static let constant = LossAggregation("constant") { 1 / Double($1.responses * $1.maxTokens) }

    /// All of this package.
    public static let builtIn = [tokens, sequences, sequenceSums, constant]
}

/// What an optimiser step is taken on, in numbers.
public struct LossBatch: Sendable, Equatable {
    /// The responses.
    public var responses: Int
    /// Their tokens that count.
    public var tokens: Int
    /// The most tokens that a response may have.
    public var maxTokens: Int

    /// A batch; see the properties.
    public init(responses: Int, tokens: Int, maxTokens: Int) {
        (self.responses, self.tokens, self.maxTokens) = (responses, max(1, tokens), maxTokens)
    }
}

/// The loss of a policy's tokens, and its gradient by each token's log-probability, in double precision. A loss depends on the model
/// through log-probabilities alone, so no more is differentiated through the model than Σ gradient · log p.
public struct PolicyLoss: Sendable {
    /// The term of a token.
    public var surrogate = PolicySurrogate.clipped
    /// What ratios are taken of.
    public var ratio = RatioLevel.token
    /// How terms come together.
    public var aggregation = LossAggregation.tokens
    /// Where ratios are clipped.
    public var clip = PolicyClip()
    /// The KL to the reference as a part of the loss; nil for none.
    public var kl: KLTerm?

    /// A KL in the loss.
    public struct KLTerm: Sendable, Equatable {
        /// The estimate of a token's KL.
        public var estimator: PPOConfig.KLEstimator
        /// Its weight.
        public var weight: Double
        /// Whether the estimate is multiplied by the ratio, with a gradient through it, which makes it unbiased for policies that have moved since
        /// they drew the tokens (DeepSeek-V3.2).
        public var isCorrected = false

        /// A term; see the properties.
        public init(_ estimator: PPOConfig.KLEstimator, weight: Double, isCorrected: Bool = false) {
            (self.estimator, self.weight, self.isCorrected) = (estimator, weight, isCorrected)
        }
    }

    /// A response. Columns from `count` on are padding.
    public struct Response {
        /// log p of each token now.
        public var logProbs: ArraySlice<Float>
        /// log p when they were drawn.
        public var oldLogProbs: [Float]
        /// Their advantages.
        public var advantages: [Float]
        /// log p under the reference; empty where no KL is wanted.
        public var referenceLogProbs: [Float]
        /// The tokens that count.
        public var count: Int

        /// A response; see the properties.
        public init(
            logProbs: ArraySlice<Float>, oldLogProbs: [Float], advantages: [Float], referenceLogProbs: [Float] = [], count: Int? = nil
        ) {
            (self.logProbs, self.oldLogProbs, self.advantages) = (logProbs, oldLogProbs, advantages)
            self.referenceLogProbs = referenceLogProbs
            self.count = count ?? logProbs.count
        }
    }

    /// What some responses of a batch add to a step's loss.
    public struct Value: Sendable {
        /// The policy's terms.
        public var policy = 0.0
        /// The KL's, with its weight.
        public var kl = 0.0
        /// Of both together, by every token's log-probability, in the order of the responses.
        public var gradient: [Float] = []
        /// Tokens whose ratio is below the range while their advantage is negative.
        public var clippedLow = 0
        /// Tokens whose ratio is above the range while their advantage is positive.
        public var clippedHigh = 0
    }

    /// The clipped loss of PPO.
    public init() {}

    /// The share of some responses in the loss of a batch.
    public func callAsFunction(_ responses: [Response], of batch: LossBatch) -> Value {
        var result = Value()
        result.gradient.reserveCapacity(responses.reduce(0) { $0 + $1.logProbs.count })
        for response in responses { add(response, of: batch, to: &result) }
        return result
    }

    private func add(_ response: Response, of batch: LossBatch, to result: inout Value) {
        let (count, now) = (response.count, Array(response.logProbs))
        let weight = aggregation.weight(count, batch)
        let logRatios = (0..<count).map { Double(now[$0]) - Double(response.oldLogProbs[$0]) }
        // what a sequence's log ratio changes by with each token's
        let (ofSequence, slope): (Double?, Double) =
            switch ratio {
            case .token: (nil, 1)
            case .sequenceMean: (logRatios.reduce(0, +) / Double(max(1, count)), 1 / Double(max(1, count)))
            case .sequenceSum: (logRatios.reduce(0, +), 1)
            }
        let sequenceRatio = ofSequence.map(exponent)
        var (bySequence, direct) = (0.0, [Double](repeating: 0, count: now.count))
        for t in 0..<count {
            let term = PolicyTerm(
                ratio: sequenceRatio ?? exponent(logRatios[t]), advantage: Double(response.advantages[t]), logProb: Double(now[t]))
            let loss = surrogate.value(term, clip)
            result.policy += weight * loss.value
            var byRatio = loss.byLogRatio
            direct[t] += loss.byLogProb
            if let kl {
                let (estimate, byLogProb) = Self.kl(kl.estimator, policy: term.logProb, reference: Double(response.referenceLogProbs[t]))
                let factor = kl.isCorrected ? term.ratio : 1
                result.kl += weight * kl.weight * factor * estimate
                direct[t] += kl.weight * factor * byLogProb
                if kl.isCorrected { byRatio += kl.weight * term.ratio * estimate }
            }
            if ofSequence == nil { direct[t] += byRatio } else { bySequence += byRatio }
            if term.ratio < 1 - clip.low, term.advantage < 0 { result.clippedLow += 1 }
            if term.ratio > 1 + clip.high, term.advantage > 0 { result.clippedHigh += 1 }
        }
        for t in now.indices { result.gradient.append(t < count ? Float(weight * (direct[t] + slope * bySequence)) : 0) }
    }

    /// A KL estimate and its derivative by the policy's log-probability.
    static func kl(_ estimator: PPOConfig.KLEstimator, policy: Double, reference: Double) -> (value: Double, byLogProb: Double) {
        let d = reference - policy
        let value = TokenRewards.kl(policy: policy, reference: reference, estimator: estimator)
        return switch estimator {
        case .k1: (value, 1)
        case .k2: (value, -d)
        case .k3: (value, -expMinusOne(d))
        }
    }
}
