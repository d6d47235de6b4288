import Data
import Foundation
import Models
import Tensor
import TextGeneration
import Train

/// Supervised fine-tuning on pairs in memory, with a callback, early stopping and a saved result.
func fineTune(_ start: TextModel) throws {
    let pairs = (1...24).map { number in
        SummaryExample(
            id: "\(number)", subreddit: "numbers", title: "a number", post: "I counted to \(number) and then stopped",
            summary: "counted to \(number)")
    }
    let tokenisation = SFTTokenisation(maximumSource: 64, maximumTarget: 32)
    let train = try tokenisation.tokenise(Array(pairs[..<20]), with: start.tokenizer).examples
    let heldOut = try tokenisation.tokenise(Array(pairs[20...]), with: start.tokenizer).examples

    var config = SFTConfig()
    config.epochs = 50
    config.batchSize = 4
    config.optimizer.learningRate = 1e-2
    config.evaluationSteps = 5
    config.freezing = Freezing(fraction: 0)

    var losses: [Double] = []
    let trainer = try SFTTrainer(
        start.model.decoder, config: config, examples: train, evaluations: [(name: "held_out", examples: heldOut)],
        validTokens: start.tokenizer.vocabularySize
    ) { event in
        if case .measured(_, let values) = event, let loss = values["held_out_loss"] { losses.append(loss) }
    }
    // stops when the held-out loss rises
    try trainer.run(shouldStop: { losses.count > 2 && losses[losses.count - 1] > losses[losses.count - 2] })
    precondition((losses.min() ?? .infinity) < losses[0])

    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try start.save(to: folder)
    let again = try TextModel.load(folder)
    let prompt = PromptFormat.tldr.prompt(for: pairs[0])
    let (before, after) = (
        try start.generate(prompt, maxNewTokens: 6, temperature: 0), try again.generate(prompt, maxNewTokens: 6, temperature: 0)
    )
    precondition(before.tokens == after.tokens)
}
