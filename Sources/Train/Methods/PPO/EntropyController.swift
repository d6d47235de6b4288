/// The weight of an entropy bonus: fixed, or raised while the policy's entropy is below a target and lowered while it is above, and only
/// applied below it (He et al. 2025, Skywork-OR1).
public struct EntropyController: Sendable, Equatable {
    /// The weight that moves.
    public private(set) var coefficient: Double
    /// The mean entropy of a token, in nats, that is aimed at; nil keeps the weight.
    public let target: Double?
    /// What the weight moves by behind every optimiser step.
    public let step: Double
    /// The greatest weight; the least is 0.
    public let limit: Double
    /// The entropy of the last optimiser step.
    private(set) var entropy: Double?

    /// A controller.
    public init(coefficient: Double, target: Double? = nil, step: Double = 0.005, limit: Double = 1) {
        (self.coefficient, self.target, self.step, self.limit) = (coefficient, target, step, limit)
    }

    /// The weight of the next step's bonus.
    public var applied: Double {
        guard let target, let entropy else { return coefficient }
        return entropy <= target ? coefficient : 0
    }

    /// Follows the mean entropy of an optimiser step's tokens.
    public mutating func update(entropy: Double) {
        guard let target else { return }
        self.entropy = entropy
        coefficient = min(max(coefficient + (entropy <= target ? step : -step), 0), limit)
    }

    /// For a snapshot.
    var numbers: [String: Double] {
        guard target != nil else { return [:] }
        return ["entropy_coefficient": coefficient].merging(entropy.map { ["entropy_seen": $0] } ?? [:]) { $1 }
    }

    /// Goes on from a snapshot's numbers.
    mutating func restore(_ numbers: [String: Double]) {
        guard target != nil else { return }
        coefficient = numbers["entropy_coefficient"] ?? coefficient
        entropy = numbers["entropy_seen"]
    }
}
