import Data
import Models
import Tensor
import TextGeneration

/// Generates text: sampled, streamed, and ended by a stop string. `TextModel.load(folder)` loads a model from disk.
func generateText() throws -> TextModel {
    let posts = try GeneratedPosts(train: 64, validation: 1, test: 1, oodTrain: 1, oodValidation: 1, oodTest: 1)
        .corpus().examples(in: "train")
    let tokenizer = try BPETrainer(vocabularySize: 400).train(on: posts.map { $0.post + " " + $0.summary })
    let shape = LlamaConfiguration(
        vocabularySize: tokenizer.vocabularySize, hiddenSize: 32, intermediateSize: 64, layerCount: 2, heads: 4, contextLength: 512)
    let decoder = try Llama(shape, weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
    let model = TextModel(LanguageModel(decoder: decoder), tokenizer: tokenizer)

    var pieces: [String] = []
    let written = try model.generate(
        posts[0].post, maxNewTokens: 32, temperature: 0.8, topP: 0.95, stop: ["\n\n"], seed: 7, onText: { pieces.append($0) })
    precondition(pieces.joined() == written.text && written.tokens.count <= 32)
    return model
}
