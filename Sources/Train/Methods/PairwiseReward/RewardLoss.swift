public import Data
public import Eval
public import Models
public import Tensor

/// The pairwise loss of Bradley & Terry: −log σ(r_chosen − r_other).
public enum RewardLoss {
    /// Scores of both answers of every comparison, each read at the answer's last token unless told otherwise: [2·pairs], answer 0 before
    /// answer 1. The prompt of a pair is processed once for both.
    /// - Parameter dropout: what decides which numbers the model drops; nil where none are. Both answers of a pair read one prompt, with one
    ///   choice of what is dropped in it.
    public static func scores(
        _ model: RewardModel, _ comparisons: [TokenisedComparison], position: ScorePosition = .lastToken,
        on tape: Tape? = nil, dropout: DropoutSource? = nil
    ) -> Tensor {
        guard position == .lastToken else {
            // the place may lie in the part that both have in common, so nothing is shared
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

    /// The sum of the pairs' losses in nats, times `weight`, as a scalar. `scores` are those of ``scores(_:_:position:on:)``, [2·pairs];
    /// `choices` the index of each pair's preferred answer, 0 or 1.
    ///
    /// Pairs say nothing about the level of a prompt's scores. `centering` above 0 adds `centering · (r_chosen + r_other)²`, which
    /// draws every prompt's scores towards 0 (Eisenstein et al. 2023, arXiv 2312.09244): less for a value function to predict.
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
    /// The tokens of the prompt and both summaries.
    package var count: Int { prompt.count + summaries.reduce(0) { $0 + $1.count } }
}
