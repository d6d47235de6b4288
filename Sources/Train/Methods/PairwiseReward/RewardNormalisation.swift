import Models
import Tensor

/// What was found of the scores of a reward model before they were normalised.
public struct RewardNormalisation: Sendable, Equatable {
    /// Their mean.
    public var mean: Double
    /// Their standard deviation.
    public var std: Double
    /// Whether the head has been normalised by them. It is left as it was where the scores are all equal up to rounding, or not finite:
    /// what is divided by such a deviation is noise.
    public var isApplied: Bool
}

extension ValueHead {
    /// Composes the normalisation of some scores into the head, unless their deviation is no more than rounding.
    func normalise(by scores: RewardEvaluation) -> RewardNormalisation {
        // equal texts of a dead model differ by rounding alone, which grows with the size of the scores
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
