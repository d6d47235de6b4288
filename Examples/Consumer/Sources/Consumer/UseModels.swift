import Models
import Tensor

/// Generates a response of a small model with random weights; greedy decoding gives the same response each time.
func useModels() throws -> Llama {
    let shape = LlamaConfiguration(
        vocabularySize: 300, hiddenSize: 16, intermediateSize: 32, layerCount: 2, heads: 2, contextLength: 256)
    let model = try Llama(shape, weights: RandomWeights(generator: Philox(seed: 1)))
    let request = GenerationRequest(prompt: [3, 4, 5], streams: [Philox(seed: 2)])
    let generator = Generator(model, endOfSequence: nil)
    let responses = try (0..<2).map { _ in try generator.generate([request], options: .greedy(maxNewTokens: 8)) }
    precondition(responses[0][0][0].tokens.count == 8)
    precondition(responses[0][0][0].tokens == responses[1][0][0].tokens)
    return model
}
