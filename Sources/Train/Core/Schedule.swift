import Foundation

/// The learning-rate schedule of a run.
public struct Schedule: Codable, Sendable, Equatable {
    /// The shape of the schedule after the warm-up.
    public enum Kind: String, Codable, Sendable, CaseIterable { case constant, linear, cosine }
    /// The shape of the schedule after the warm-up.
    public var kind: Kind
    /// The number of steps over which the rate rises linearly from 0.
    public var warmupSteps: Int
    /// The share of all steps used for the warm-up if `warmupSteps` is 0, rounded up to whole steps.
    public var warmupShare: Double

    /// A schedule. Default: cosine without warm-up.
    public init(_ kind: Kind = .cosine, warmupSteps: Int = 0, warmupShare: Double = 0) {
        self.kind = kind
        self.warmupSteps = warmupSteps
        self.warmupShare = warmupShare
    }

    /// The factor on the peak rate in a step (from 0), with the formulas of Transformers' schedulers. Linear and cosine reach 0
    /// after the last step.
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
