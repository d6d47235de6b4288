/// The quantities of a sampled token from which a policy loss is computed.
public struct PolicyTerm: Sendable {
    /// ρ, the probability ratio of the current policy to the policy at sampling time.
    public var ratio: Double
    /// A, the advantage.
    public var advantage: Double
    /// log p under the current policy.
    public var logProb: Double
}

/// The clipping range of ratios.
public struct PolicyClip: Sendable, Equatable {
    /// The lower bound is 1 − this number.
    public var low: Double
    /// The upper bound is 1 + this number.
    public var high: Double
    /// An upper bound on the ratio of tokens with a negative advantage, above the range (dual-clip: Ye et al. 2020); nil for
    /// none.
    public var dual: Double?

    /// A range. Default: 0.8 to 1.2; `high` defaults to `low`.
    public init(low: Double = 0.2, high: Double? = nil, dual: Double? = nil) {
        (self.low, self.high, self.dual) = (low, high ?? low, dual)
    }
}

/// The policy loss of one token (surrogate objective).
///
/// For a custom loss, assign a value of this type to ``PPOConfig/surrogate``.
public struct PolicySurrogate: Sendable {
    /// The loss of a token with its derivatives.
    public struct Value: Sendable {
        /// The loss.
        public var value: Double
        /// The derivative with respect to the logarithm of the ratio.
        public var byLogRatio: Double
        /// The derivative with respect to the token's log-probability, at a constant ratio.
        public var byLogProb: Double

        /// A loss with its derivatives; see the properties.
        public init(_ value: Double, byLogRatio: Double = 0, byLogProb: Double = 0) {
            (self.value, self.byLogRatio, self.byLogProb) = (value, byLogRatio, byLogProb)
        }
    }

    /// The name of the loss.
    public let name: String
    /// The loss of a token.
    public let value: @Sendable (PolicyTerm, PolicyClip) -> Value

    /// A policy loss; see the properties.
    public init(_ name: String, value: @escaping @Sendable (PolicyTerm, PolicyClip) -> Value) {
        self.name = name
        self.value = value
    }

    /// PPO: −min(ρA, clip(ρ) A) (Schulman et al. 2017). The range may be asymmetric (DAPO), with an optional dual clip.
    public static let clipped = PolicySurrogate("clip") { term, clip in
        let ratio = min(term.ratio, clip.dual ?? .infinity)
        let (plain, near) = (ratio * term.advantage, min(max(term.ratio, 1 - clip.low), 1 + clip.high) * term.advantage)
        // clipped terms have no gradient
        guard plain <= near else { return Value(-near) }
        return Value(-plain, byLogRatio: ratio < term.ratio ? 0 : -plain)
    }

    /// CISPO: −min(ρ, 1 + high) A log p, with a gradient through log p only, so that clipped tokens still have a gradient
    /// (MiniMax 2025). There is no lower bound.
    public static let cispo = PolicySurrogate("cispo") { term, clip in
        let slope = -min(term.ratio, 1 + clip.high) * term.advantage
        return Value(slope * term.logProb, byLogProb: slope)
    }

    /// SAPO: −A · 4 σ(τ(ρ − 1)) / τ, a smooth gate in place of clipping, with τ = 1 for positive advantages and 1.05 for others
    /// (Gao et al. 2025).
    public static let soft = PolicySurrogate("sapo") { term, _ in
        let temperature = term.advantage > 0 ? 1 : 1.05
        let gate = sigmoid(temperature * (term.ratio - 1))
        return Value(
            -term.advantage * 4 * gate / temperature, byLogRatio: -term.advantage * 4 * gate * (1 - gate) * term.ratio)
    }

    /// REINFORCE: −A log p, the plain policy gradient (Williams 1992).
    public static let gradient = PolicySurrogate("gradient") { term, _ in Value(-term.advantage * term.logProb, byLogProb: -term.advantage)
    }

    /// The built-in policy losses.
    public static let builtIn = [clipped, cispo, soft, gradient]
}
