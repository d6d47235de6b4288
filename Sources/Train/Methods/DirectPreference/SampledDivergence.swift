public import Data
public import Models
public import Tensor

/// Measures the KL divergence of a policy from its reference, on responses sampled from the policy. Several ranks can share the
/// prompts; then all call ``values(_:name:)`` and get the same values.
public struct SampledDivergence {
    private let sampler: ResponseSampler
    private let reference: any TransformerDecoder
    private let random: Philox
    private let collective: any Collective

    /// A measurement.
    /// - Parameters:
    ///   - sampler: samples from the policy, with the same temperature as in training.
    ///   - reference: the reference model.
    ///   - random: the random stream, from which every prompt's stream is derived with the prompt's ID.
    ///   - collective: the ranks that share the prompts. Default: this process alone.
    public init(
        _ sampler: ResponseSampler, reference: any TransformerDecoder, random: Philox, collective: any Collective = LocalCollective()
    ) {
        (self.sampler, self.reference, self.random, self.collective) = (sampler, reference, random, collective)
    }

    /// The sums over some responses.
    private struct Sums: Codable {
        var divergence = 0.0
        var tokens = 0
        var ended = 0
    }

    /// The measured values: `<name>_kl`, the mean of Σ log π − log π_ref in nats over one response per prompt,
    /// `<name>_response_tokens`, the mean number of tokens of a response, and `<name>_end_share`, the share of responses with an
    /// end-of-sequence token.
    /// - Throws: `GenerationError`; ``CollectiveError`` when another rank fails.
    public func values(_ prompts: [TokenisedPrompt], name: String) throws -> [String: Double] {
        guard !prompts.isEmpty else { return [:] }
        let all = try collective.sharing(prompts, tokens: { $0.tokens.count + sampler.options.maxNewTokens }) { try sums($0) }
        let count = Double(prompts.count)
        return [
            "\(name)_kl": all.reduce(0) { $0 + $1.divergence } / count,
            "\(name)_response_tokens": Double(all.reduce(0) { $0 + $1.tokens }) / count,
            "\(name)_end_share": Double(all.reduce(0) { $0 + $1.ended }) / count,
        ]
    }

    private func sums(_ prompts: [TokenisedPrompt]) throws -> Sums {
        guard !prompts.isEmpty else { return Sums() }
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
        return Sums(
            divergence: divergence, tokens: responses.reduce(0) { $0 + $1.drawn.tokens.count }, ended: responses.count { $0.drawn.ended })
    }
}
