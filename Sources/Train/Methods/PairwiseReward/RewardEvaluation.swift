/// The results of a reward model on a set of comparisons.
///
/// A tie of two equal scores counts as half a prediction for each answer, so a constant model has an accuracy of 0.5.
public struct RewardEvaluation: Codable, Sendable, Equatable {
    /// The mean over pairs of −log σ(preferred score − other score), in nats.
    public var loss: Double
    /// The share of pairs whose preferred answer scores higher; ties count half.
    public var accuracy: Double
    /// The precision, with answer 1 as the positive class.
    public var precision: Double
    /// The recall, with answer 1 as the positive class.
    public var recall: Double
    /// The mean of all scores.
    public var logitsMean: Double
    /// The standard deviation of all scores.
    public var logitsStd: Double
    /// The median of all scores.
    public var logitsMedian: Double
    /// The highest score minus the lowest.
    public var logitsRange: Double
    /// The number of pairs.
    public var count: Int

    /// The prediction from two scores: 1 for answer 1, 0 for answer 0, and 0.5 for a tie.
    /// - Parameters:
    ///   - first: the score of answer 0.
    ///   - second: the score of answer 1.
    ///   - tiesPredictZero: whether a tie predicts answer 0, as in the original code.
    public static func prediction(_ first: Float, _ second: Float, tiesPredictZero: Bool = false) -> Double {
        second > first ? 1 : second < first || tiesPredictZero ? 0 : 0.5
    }

    /// The results for the scores of answers 0 and 1 of every pair, alternating, and the indices of the preferred answers.
    /// - Parameters:
    ///   - scores: the scores of answers 0 and 1 of every pair, alternating.
    ///   - choices: the index of each pair's preferred answer, 0 or 1.
    ///   - tiesPredictZero: whether a tie predicts answer 0, as in the original code.
    public init(scores: [Float], choices: [Int], tiesPredictZero: Bool = false) {
        let predictions = choices.indices.map {
            Self.prediction(scores[2 * $0], scores[2 * $0 + 1], tiesPredictZero: tiesPredictZero)
        }
        let n = Double(max(1, choices.count))
        loss =
            choices.enumerated().reduce(0) { sum, item in
                let difference = Double(scores[2 * item.offset + 1]) - Double(scores[2 * item.offset])
                let margin = item.element == 1 ? difference : -difference
                return sum + max(-margin, 0) + log1pExp(-abs(margin))
            } / n
        accuracy = zip(predictions, choices).reduce(0) { $0 + ($1.1 == 1 ? $1.0 : 1 - $1.0) } / n
        let hits = zip(predictions, choices).reduce(0) { $0 + ($1.1 == 1 ? $1.0 : 0) }
        let predicted = predictions.reduce(0, +)
        precision = predicted > 0 ? hits / predicted : 0
        recall = hits / Double(max(1, choices.count { $0 == 1 }))
        let all = scores.map(Double.init)
        let mean = all.reduce(0, +) / Double(max(1, all.count))
        logitsMean = mean
        logitsStd = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, all.count))).squareRoot()
        let sorted = all.sorted()
        logitsMedian = sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        logitsRange = (sorted.last ?? 0) - (sorted.first ?? 0)
        count = choices.count
    }

    /// The results with their names in the metrics file, with a prefix.
    public func values(prefix: String) -> [String: Double] {
        [
            "\(prefix)loss": loss, "\(prefix)accuracy": accuracy, "\(prefix)precision": precision,
            "\(prefix)recall": recall,
            "\(prefix)logits_mean": logitsMean, "\(prefix)logits_std": logitsStd,
            "\(prefix)logits_var": logitsStd * logitsStd,
            "\(prefix)logits_median": logitsMedian, "\(prefix)logits_ptp": logitsRange,
        ]
    }
}
