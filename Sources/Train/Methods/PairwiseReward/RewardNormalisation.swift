import Models
import Tensor

/// The distribution of a reward model's scores before normalisation.
public struct RewardNormalisation: Sendable, Equatable {
    /// The mean of the scores.
    public var mean: Double
    /// The standard deviation of the scores.
    public var std: Double
    /// Whether the head was normalised. It is left unchanged if the scores are equal up to rounding or not finite, because
    /// dividing by such a deviation would amplify noise.
    public var isApplied: Bool
}

extension ValueHead {
    /// Composes the normalisation of some scores into the head, unless their deviation is within rounding.
    func normalise(by scores: RewardEvaluation) -> RewardNormalisation {
        // scores of a constant model differ only by rounding, which grows with the size of the scores
        let rounding = Compute.precision == .bf16 ? 0x1p-9 : 0x1p-20
        let noise = rounding * (abs(scores.logitsMean) + scores.logitsRange)
        let (mean, std) = (Float(scores.logitsMean), Float(scores.logitsStd))
        let deviation = normalisationStd.value.item * std
        let shift = normalisation.value.item - normalisationStd.value.item * mean
        let isApplied =
            scores.logitsStd > noise && deviation.isNormal && deviation > 0 && shift.isFinite && (shift / deviation).isFinite
        if isApplied { normalise(mean: mean, std: std) }
        return RewardNormalisation(mean: scores.logitsMean, std: scores.logitsStd, isApplied: isApplied)
    }
}
