public import Data
public import Eval
public import Models
public import Tensor

/// The pairwise loss of Bradley and Terry: −log σ(r_chosen − r_other).
public enum RewardLoss {
    /// The scores of both answers of every comparison, [2·pairs], answer 0 before answer 1. At the last token, the prompt of a
    /// pair is processed once for both answers.
    /// - Parameters:
    ///   - model: the reward model.
    ///   - comparisons: the pairs of answers with their prompts.
    ///   - position: where scores are read. Default: the answer's last token.
    ///   - tape: the tape that records the pass; nil for inference.
    ///   - dropout: the source of dropout masks; nil without dropout. Both answers of a pair share their prompt's masks.
    public static func scores(
        _ model: RewardModel, _ comparisons: [TokenisedComparison], position: ScorePosition = .lastToken,
        on tape: Tape? = nil, dropout: DropoutSource? = nil
    ) -> Tensor {
        guard position == .lastToken else {
            // the position may lie in the common prefix, so nothing is shared
            let texts = comparisons.flatMap { pair in pair.summaries.map { pair.prompt + $0 } }
            var batch = TokenBatch(texts)
            batch.dropout = dropout
            let rows = zip(batch.rows, texts).map { $0.lowerBound + position.index(in: $1) }
            return model.scores(batch, lastRows: rows, on: tape)
        }
        var batch = TokenBatch(prompts: comparisons.map(\.prompt), continuations: comparisons.map(\.summaries))
        batch.dropout = dropout
        return model.scores(batch, lastRows: batch.rows.map { $0.upperBound - 1 }, on: tape)
    }

    /// The sum of the pairs' losses in nats, times `weight`, as a scalar.
    ///
    /// Pairs do not determine the level of a prompt's scores. A positive `centering` adds `centering · (r_chosen + r_other)²`,
    /// which draws every prompt's scores towards 0 (Eisenstein et al. 2023, arXiv 2312.09244), so that a value function has less
    /// to predict.
    /// - Parameters:
    ///   - scores: the scores from ``scores(_:_:position:on:dropout:)``, [2·pairs].
    ///   - choices: the index of each pair's preferred answer, 0 or 1.
    ///   - weight: a factor on the sum of the losses.
    ///   - centering: the weight of the term that draws scores towards 0; 0 for none.
    public static func loss(scores: Tensor, choices: [Int], weight: Float, centering: Float = 0) -> Tensor {
        precondition(scores.count == 2 * choices.count, "\(scores.count) scores do not make \(choices.count) pairs")
        let column = scores.reshaped([scores.count, 1])
        let chosen = column.rows(choices.enumerated().map { 2 * $0 + $1 })
        let other = column.rows(choices.enumerated().map { 2 * $0 + 1 - $1 })
        let ranking = (chosen - other).logSigmoid().sum().scaled(by: -weight)
        guard centering > 0 else { return ranking }
        return ranking + (chosen + other).squared().sum().scaled(by: weight * centering)
    }
}

extension TokenisedComparison {
    /// The number of tokens of the prompt and both summaries.
    package var count: Int { prompt.count + summaries.reduce(0) { $0 + $1.count } }
}
