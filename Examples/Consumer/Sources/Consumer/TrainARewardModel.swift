import Data
import Models
import Tensor
import TextGeneration
import Train

/// Trains a reward model on pairs in memory: the answer that contains the number is preferred.
func trainARewardModel(_ start: TextModel) throws {
    let pairs = (1...16).map { number in
        let answers = ["the answer is \(number)", "there is no answer"]
        return Comparison(
            id: "\(number)", subreddit: "numbers", title: "a number", post: "how many are \(number)?",
            summaries: number.isMultiple(of: 2) ? answers : answers.reversed(), choice: number.isMultiple(of: 2) ? 0 : 1)
    }
    let comparisons = try RewardTokenisation(maximumTokens: 128).tokenise(pairs, with: start.tokenizer).comparisons

    var random = Philox(seed: 3)
    let decoder = start.model.decoder.copy()
    let model = RewardModel(decoder, head: ValueHead(width: decoder.shape.headWidth, using: &random))
    var config = RewardConfig()
    config.epochs = 10
    config.optimizer.learningRate = 3e-3
    config.freezing = Freezing(fraction: 0)
    let trainer = try RewardTrainer(
        model, config: config, comparisons: Array(comparisons[..<12]),
        evaluations: [(name: "held_out", comparisons: Array(comparisons[12...]))])
    try trainer.run()
    precondition(trainer.lastEvaluation["held_out"].map { $0.accuracy > 0.5 } ?? false)
}
