/// Cohen's κ: the agreement of two annotators about the same tasks, corrected for chance (Cohen 1960; with weights Cohen 1968):
/// κ = 1 − Σ w·observed / Σ w·expected, where the expected table follows from how often each annotator gives each answer.
public enum CohenKappa {
    /// The weight of a disagreement.
    public enum Weights: String, Codable, Sendable, CaseIterable {
        /// All disagreements have equal weight.
        case equal
        /// The absolute difference of the answers.
        case linear
        /// The squared difference of the answers.
        case quadratic
    }

    /// The κ of two annotators' answers.
    ///
    /// - Parameters:
    ///   - first: one annotator's answer to each task.
    ///   - second: the other annotator's answers to the same tasks, in the same order.
    ///   - weights: the weights of disagreements.
    /// - Returns: nil if κ is undefined: there are no tasks, or both annotators always give the same single answer.
    public static func kappa(_ first: [Int], _ second: [Int], weights: Weights = .equal) -> Double? {
        precondition(first.count == second.count, "\(first.count) answers and \(second.count)")
        var (own, other): ([Int: Double], [Int: Double]) = ([:], [:])
        var observed = 0.0
        for (a, b) in zip(first, second) {
            own[a, default: 0] += 1
            other[b, default: 0] += 1
            observed += weight(a, b, weights)
        }
        // a fixed order makes the rounding reproducible
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
