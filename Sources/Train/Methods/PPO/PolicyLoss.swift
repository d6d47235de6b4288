import Tensor

/// The level of the probability ratio ρ of a token.
public enum RatioLevel: String, Sendable, CaseIterable {
    /// The ratio of the token: p(token) / p_old(token).
    case token
    /// The geometric mean of the token ratios of the response (GSPO: Zheng et al. 2025).
    case sequenceMean = "sequence-mean"
    /// The product of the token ratios of the response (RLOO: Ahmadian et al. 2024).
    case sequenceSum = "sequence-sum"
}

/// How the losses of tokens are aggregated into the loss of an optimiser step: Σ weight · loss, with equal weights for the tokens
/// of a response.
///
/// For a custom aggregation, assign a value of this type to ``PPOConfig/aggregation``.
public struct LossAggregation: Sendable {
    /// The name of the aggregation.
    public let name: String
    /// The weight of each token of a response with this number of tokens.
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
    /// The sum over all tokens, divided by the number of tokens of full-length responses (Dr. GRPO: Liu et al. 2025).
    public static let constant = LossAggregation("constant") { 1 / Double($1.responses * $1.maxTokens) }

    /// The built-in aggregations.
    public static let builtIn = [tokens, sequences, sequenceSums, constant]
}

/// The sizes of an optimiser step's batch, from which an aggregation computes weights.
public struct LossBatch: Sendable, Equatable {
    /// The number of responses.
    public var responses: Int
    /// The number of response tokens that count.
    public var tokens: Int
    /// The maximum number of tokens of a response.
    public var maxTokens: Int

    /// A batch; see the properties. The number of tokens is at least 1.
    public init(responses: Int, tokens: Int, maxTokens: Int) {
        (self.responses, self.tokens, self.maxTokens) = (responses, max(1, tokens), maxTokens)
    }
}

/// The policy loss, and its gradient with respect to each token's log-probability, in double precision. The loss depends on the
/// model only through log-probabilities, so the model is differentiated through Σ gradient · log p.
public struct PolicyLoss: Sendable {
    /// The policy loss of a token.
    public var surrogate = PolicySurrogate.clipped
    /// The level of probability ratios.
    public var ratio = RatioLevel.token
    /// How the losses of tokens are aggregated.
    public var aggregation = LossAggregation.tokens
    /// The clipping range of ratios.
    public var clip = PolicyClip()
    /// The KL to the reference as a part of the loss; nil for none.
    public var kl: KLTerm?

    /// The KL term of the loss.
    public struct KLTerm: Sendable, Equatable {
        /// The KL estimator of a token.
        public var estimator: PPOConfig.KLEstimator
        /// The weight of the KL.
        public var weight: Double
        /// Whether the estimate is multiplied by the ratio, with a gradient through the ratio. This keeps it unbiased after the
        /// policy has changed since sampling (DeepSeek-V3.2).
        public var isCorrected = false

        /// A KL term; see the properties.
        public init(_ estimator: PPOConfig.KLEstimator, weight: Double, isCorrected: Bool = false) {
            (self.estimator, self.weight, self.isCorrected) = (estimator, weight, isCorrected)
        }
    }

    /// A response. Columns from `count` on are padding.
    public struct Response {
        /// log p of each token under the current policy.
        public var logProbs: ArraySlice<Float>
        /// log p of each token at sampling time.
        public var oldLogProbs: [Float]
        /// The advantage of each token.
        public var advantages: [Float]
        /// log p of each token under the reference; empty without a KL in the loss.
        public var referenceLogProbs: [Float]
        /// The number of tokens that count.
        public var count: Int

        /// A response; see the properties. Default of `count`: all tokens.
        public init(
            logProbs: ArraySlice<Float>, oldLogProbs: [Float], advantages: [Float], referenceLogProbs: [Float] = [], count: Int? = nil
        ) {
            (self.logProbs, self.oldLogProbs, self.advantages) = (logProbs, oldLogProbs, advantages)
            self.referenceLogProbs = referenceLogProbs
            self.count = count ?? logProbs.count
        }
    }

    /// The contribution of some responses to the loss of a batch.
    public struct Value: Sendable {
        /// The policy loss, weighted by the aggregation.
        public var policy = 0.0
        /// The KL term with its weight.
        public var kl = 0.0
        /// The gradient of both with respect to every token's log-probability, in the order of the responses.
        public var gradient: [Float] = []
        /// The number of tokens with a ratio below the clipping range and a negative advantage.
        public var clippedLow = 0
        /// The number of tokens with a ratio above the clipping range and a positive advantage.
        public var clippedHigh = 0
    }

    /// The clipped loss of PPO.
    public init() {}

    /// The contribution of some responses to the loss of a batch.
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
        // the derivative of a sequence's log ratio with respect to each token's log-probability
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

    /// A KL estimate, and its derivative with respect to the policy's log-probability.
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
