import Foundation

/// How the learning rate changes over the steps of a run.
public struct Schedule: Codable, Sendable, Equatable {
    /// The shape after the warm-up.
    public enum Kind: String, Codable, Sendable, CaseIterable { case constant, linear, cosine }
    /// The shape after the warm-up.
    public var kind: Kind
    /// Steps over which the rate rises linearly from 0.
    public var warmupSteps: Int
    /// The share of all steps over which it rises where `warmupSteps` is 0; a fraction of a step counts as one.
    public var warmupShare: Double

    /// A schedule; cosine without warm-up unless set.
    public init(_ kind: Kind = .cosine, warmupSteps: Int = 0, warmupShare: Double = 0) {
        self.kind = kind
        self.warmupSteps = warmupSteps
        self.warmupShare = warmupShare
    }

    /// What the peak rate is multiplied by in step `step` (from 0) of `total`: the formulas of Transformers' schedulers. Linear and
    /// cosine reach 0 after the last step.
    public func factor(step: Int, total: Int) -> Double {
        let warmupSteps = warmupSteps > 0 ? warmupSteps : Int((warmupShare * Double(total)).rounded(.up))
        if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
        let progress = Double(step - warmupSteps) / Double(max(1, total - warmupSteps))
        switch kind {
        case .constant: return 1
        case .linear: return max(0, 1 - progress)
        case .cosine: return max(0, 0.5 * (1 + cos(.pi * progress)))
        }
    }
}
