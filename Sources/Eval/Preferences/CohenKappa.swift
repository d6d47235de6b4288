/// How far two people agree about the same tasks, corrected for chance (Cohen 1960; with weights Cohen 1968):
/// κ = 1 − Σ w·observed / Σ w·expected, the expected table from how often each of them gives each answer.
public enum CohenKappa {
    /// What a disagreement weighs.
    public enum Weights: String, Codable, Sendable, CaseIterable {
        /// All disagreements the same.
        case equal
        /// By the distance of the answers.
        case linear
        /// By the square of the distance.
        case quadratic
    }

    /// The κ of two people's answers.
    ///
    /// - Parameters:
    ///   - first: one person's answer to each task.
    ///   - second: the other's to the same tasks, in the same order.
    /// - Returns: nil without tasks, or where both always give the same one answer: κ is not defined then.
    public static func kappa(_ first: [Int], _ second: [Int], weights: Weights = .equal) -> Double? {
        precondition(first.count == second.count, "\(first.count) answers and \(second.count)")
        var (own, other): ([Int: Double], [Int: Double]) = ([:], [:])
        var observed = 0.0
        for (a, b) in zip(first, second) {
            own[a, default: 0] += 1
            other[b, default: 0] += 1
            observed += weight(a, b, weights)
        }
        // in a fixed order, so that rounding is the same each time
        var expected = 0.0
        for (a, count) in own.sorted(by: { $0.key < $1.key }) {
            for (b, times) in other.sorted(by: { $0.key < $1.key }) { expected += count * times * weight(a, b, weights) }
        }
        guard expected > 0 else { return nil }
        return 1 - observed * Double(first.count) / expected
    }

    private static func weight(_ first: Int, _ second: Int, _ weights: Weights) -> Double {
        let distance = abs(Double(first) - Double(second))
        switch weights {
        case .equal: return distance == 0 ? 0 : 1
        case .linear: return distance
        case .quadratic: return distance * distance
        }
    }
}
