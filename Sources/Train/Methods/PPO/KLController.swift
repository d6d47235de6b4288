/// The weight of the KL penalty: fixed, or adapted towards a target (Ziegler et al. 2019, § 2.2).
public struct KLController: Codable, Sendable, Equatable {
    /// The current weight.
    public var coefficient: Double
    /// The target for the mean KL of a response, in nats; nil keeps the weight fixed.
    public let target: Double?
    /// The number of rollouts over which a deviation is corrected.
    public let horizon: Double

    /// A controller with an initial weight.
    public init(coefficient: Double, target: Double?, horizon: Double) {
        (self.coefficient, self.target, self.horizon) = (coefficient, target, horizon)
    }

    /// Adapts the weight: coefficient ·= 1 + clip(KL / target − 1, −0.2, 0.2) · rollouts / horizon.
    public mutating func update(meanKL: Double, rollouts: Int) {
        guard let target else { return }
        coefficient *= 1 + min(max(meanKL / target - 1, -0.2), 0.2) * Double(rollouts) / horizon
    }
}
