import Models
import Tensor

/// A custom sampling rule: no token appears twice in a response.
func useYourOwnSampling(_ model: any TransformerDecoder) throws {
    var generator = Generator(model, endOfSequence: nil)
    generator.processLogits = { logits, tokens in
        for token in tokens { logits[Int(token)] = -.infinity }
    }
    let request = GenerationRequest(prompt: [3, 4, 5], streams: [Philox(seed: 2), Philox(seed: 3)])
    let responses = try generator.generate([request], options: SamplingOptions(maxNewTokens: 40, temperature: 0.5))[0]
    precondition(responses.count == 2)
    for response in responses { precondition(Set(response.tokens).count == 40) }
}
