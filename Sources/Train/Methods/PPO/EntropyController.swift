/// The weight of an entropy bonus. It is fixed, or follows a target entropy: it grows while the policy's entropy is at most the
/// target, shrinks while it is above, and is applied only at or below the target (Skywork-OR1: He et al. 2025).
public struct EntropyController: Sendable, Equatable {
    /// The current weight before ``applied`` is considered.
    public private(set) var coefficient: Double
    /// The target for the mean entropy of a token, in nats; nil keeps the weight fixed.
    public let target: Double?
    /// The change of the weight after every optimiser step.
    public let step: Double
    /// The maximum weight; the minimum is 0.
    public let limit: Double
    /// The mean token entropy of the last optimiser step.
    private(set) var entropy: Double?

    /// A controller with an initial weight.
    public init(coefficient: Double, target: Double? = nil, step: Double = 0.005, limit: Double = 1) {
        (self.coefficient, self.target, self.step, self.limit) = (coefficient, target, step, limit)
    }

    /// The weight of the bonus in the next step.
    public var applied: Double {
        guard let target, let entropy else { return coefficient }
        return entropy <= target ? coefficient : 0
    }

    /// Adapts the weight to the mean token entropy of an optimiser step.
    public mutating func update(entropy: Double) {
        guard let target else { return }
        self.entropy = entropy
        coefficient = min(max(coefficient + (entropy <= target ? step : -step), 0), limit)
    }

    /// The state, for a snapshot.
    var numbers: [String: Double] {
        guard target != nil else { return [:] }
        return ["entropy_coefficient": coefficient].merging(entropy.map { ["entropy_seen": $0] } ?? [:]) { $1 }
    }

    /// Restores the state from a snapshot's numbers.
    mutating func restore(_ numbers: [String: Double]) {
        guard target != nil else { return }
        coefficient = numbers["entropy_coefficient"] ?? coefficient
        entropy = numbers["entropy_seen"]
    }
}
