import Data
import Models
import Train

/// Lowers the loss with a few steps of supervised fine-tuning.
func useTrain(_ model: any TransformerDecoder, _ examples: [TokenisedExample]) throws {
    var config = SFTConfig()
    (config.loop.epochs, config.loop.batchSize) = (8, 8)
    (config.loop.optimizer, config.freezing) = (AdamConfig(learningRate: 1e-2), Freezing(fraction: 0))
    var losses: [Double] = []
    let trainer = try SFTTrainer(model, config: config, examples: examples) { event in
        if case .progressed(_, _, _, let figure?) = event { losses.append(figure.value) }
    }
    try trainer.run()
    precondition(losses.count == 16)
    precondition(losses[15] < losses[0])
}
