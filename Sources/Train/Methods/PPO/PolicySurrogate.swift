/// A drawn token as a loss sees it.
public struct PolicyTerm: Sendable {
    /// How much likelier it is now than when it was drawn.
    public var ratio: Double
    /// How much better it did than expected.
    public var advantage: Double
    /// log p now.
    public var logProb: Double
}

/// Where ratios are clipped.
public struct PolicyClip: Sendable, Equatable {
    /// The range begins at 1 − this.
    public var low: Double
    /// The range ends at 1 + this.
    public var high: Double
    /// Ratios of tokens with a negative advantage are clipped at this, above the range (dual clip: Ye et al. 2020); nil for not at all.
    public var dual: Double?

    /// A range: 0.8 to 1.2 unless given.
    public init(low: Double = 0.2, high: Double? = nil, dual: Double? = nil) {
        (self.low, self.high, self.dual) = (low, high ?? low, dual)
    }
}

/// The term of one token in a policy's loss.
///
/// One of your own is a value of this type in ``PPOConfig/surrogate``.
public struct PolicySurrogate: Sendable {
    /// A term with its derivatives.
    public struct Value: Sendable {
        /// The term.
        public var value: Double
        /// Its derivative by the logarithm of the ratio.
        public var byLogRatio: Double
        /// Its derivative by the token's log-probability, with the ratio held.
        public var byLogProb: Double

        /// A term; see the properties.
        public init(_ value: Double, byLogRatio: Double = 0, byLogProb: Double = 0) {
            (self.value, self.byLogRatio, self.byLogProb) = (value, byLogRatio, byLogProb)
        }
    }

    /// The name.
    public let name: String
    /// The term.
    public let value: @Sendable (PolicyTerm, PolicyClip) -> Value

    /// A term; see the properties.
    public init(_ name: String, value: @escaping @Sendable (PolicyTerm, PolicyClip) -> Value) {
        self.name = name
        self.value = value
    }

    /// −min(ρA, clip(ρ) A) (PPO: Schulman et al. 2017), with a range that need not be symmetric (DAPO) and the dual clip where it is set.
    public static let clipped = PolicySurrogate("clip") { term, clip in
        let ratio = min(term.ratio, clip.dual ?? .infinity)
        let (plain, near) = (ratio * term.advantage, min(max(term.ratio, 1 - clip.low), 1 + clip.high) * term.advantage)
        // clipped terms have no gradient
        guard plain <= near else { return Value(-near) }
        return Value(-plain, byLogRatio: ratio < term.ratio ? 0 : -plain)
    }

    /// −min(ρ, bound) A log p, with a gradient through log p alone (CISPO: MiniMax 2025): clipped tokens still teach. The bound is 1 + high;
    /// there is no lower one.
    public static let cispo = PolicySurrogate("cispo") { term, clip in
        let slope = -min(term.ratio, 1 + clip.high) * term.advantage
        return Value(slope * term.logProb, byLogProb: slope)
    }

    /// −A · 4 σ(τ(ρ − 1)) / τ with τ = 1 for positive advantages and 1.05 for others (SAPO: Gao et al. 2025): a gate in place of a clip.
    public static let soft = PolicySurrogate("sapo") { term, _ in
        let temperature = term.advantage > 0 ? 1 : 1.05
        let gate = sigmoid(temperature * (term.ratio - 1))
        return Value(
            -term.advantage * 4 * gate / temperature, byLogRatio: -term.advantage * 4 * gate * (1 - gate) * term.ratio)
    }

    /// −A log p: the plain policy gradient (REINFORCE: Williams 1992).
    public static let gradient = PolicySurrogate("gradient") { term, _ in Value(-term.advantage * term.logProb, byLogProb: -term.advantage)
    }

    /// All of this package.
    public static let builtIn = [clipped, cispo, soft, gradient]
}
