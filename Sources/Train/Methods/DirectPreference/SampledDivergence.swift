public import Data
public import Models
public import Tensor

/// Measures the KL divergence of a policy from its reference, on responses sampled from the policy.
public struct SampledDivergence {
    private let sampler: ResponseSampler
    private let reference: any TransformerDecoder
    private let random: Philox

    /// A measurement.
    /// - Parameters:
    ///   - sampler: samples from the policy, with the same temperature as in training.
    ///   - reference: the reference model.
    ///   - random: the random stream, from which every prompt's stream is derived with the prompt's ID.
    public init(_ sampler: ResponseSampler, reference: any TransformerDecoder, random: Philox) {
        (self.sampler, self.reference, self.random) = (sampler, reference, random)
    }

    /// The measured values: `<name>_kl`, the mean of Σ log π − log π_ref in nats over one response per prompt,
    /// `<name>_response_tokens`, the mean number of tokens of a response, and `<name>_end_share`, the share of responses with an
    /// end-of-sequence token.
    /// - Throws: `GenerationError`.
    public func values(_ prompts: [TokenisedPrompt], name: String) throws -> [String: Double] {
        guard !prompts.isEmpty else { return [:] }
        let responses = try sampler.responses(to: prompts) { [random.split(prompts[$0].id)] }.map { $0[0] }
        let scorer = TokenScorer(
            decoder: reference, temperature: sampler.options.temperature, validTokens: sampler.tokenizer.vocabularySize)
        var divergence = 0.0
        let length = { (response: SampledResponse) in response.prompt.tokens.count + response.drawn.tokens.count }
        for part in Packing.parts(responses.filter { !$0.drawn.tokens.isEmpty }, tokensPerPass: 2048, length: length) {
            let scores = scorer.scores(TargetPass(prompts: part.map(\.prompt.tokens), targets: part.map(\.drawn.tokens)))
            for (response, scores) in zip(part, scores) {
                divergence += zip(response.drawn.logProbs, scores.logProbs).reduce(0) { $0 + Double($1.0) - Double($1.1) }
            }
        }
        let count = Double(responses.count)
        return [
            "\(name)_kl": divergence / count,
            "\(name)_response_tokens": Double(responses.reduce(0) { $0 + $1.drawn.tokens.count }) / count,
            "\(name)_end_share": Double(responses.count { $0.drawn.ended }) / count,
        ]
    }
}
