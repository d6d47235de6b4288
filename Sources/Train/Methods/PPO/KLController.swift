/// The weight of the KL penalty: fixed, or moved towards a target (Ziegler et al. 2019, § 2.2).
public struct KLController: Codable, Sendable, Equatable {
    /// The current weight.
    public var coefficient: Double
    /// The mean KL of a response that is aimed at; nil keeps the weight.
    public let target: Double?
    /// How many rollouts a full correction takes.
    public let horizon: Double

    /// A controller.
    public init(coefficient: Double, target: Double?, horizon: Double) {
        (self.coefficient, self.target, self.horizon) = (coefficient, target, horizon)
    }

    /// coefficient ·= 1 + clip(KL / target − 1, −0.2, 0.2) · rollouts / horizon
    public mutating func update(meanKL: Double, rollouts: Int) {
        guard let target else { return }
        coefficient *= 1 + min(max(meanKL / target - 1, -0.2), 0.2) * Double(rollouts) / horizon
    }
}
