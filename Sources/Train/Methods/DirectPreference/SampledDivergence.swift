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
    /// - Parameters:
    ///   - prompts: the prompts.
    ///   - name: the prefix of the names.
    ///   - collective: the ranks, each of which samples for a share of the prompts. Default: this process alone.
    ///   - progress: called with the numbers of finished responses and of sampled tokens; those of all ranks are estimated from
    ///     those of this one.
    /// - Throws: `GenerationError`; errors of `progress`; ``CollectiveError`` when another rank fails.
    public func values(
        _ prompts: [TokenisedPrompt], name: String, among collective: any Collective = LocalCollective(),
        progress: PartProgressHandler = { _, _ in }
    ) throws -> [String: Double] {
        guard !prompts.isEmpty else { return [:] }
        var total = Sums()
        let parts = try collective.sharing(prompts, tokens: \.tokens.count) { share in
            try sums(share) { try collective.estimating(share.count, of: prompts.count, progress, $0, $1) }
        }
        for part in parts {
            total.divergence += part.divergence
            total.tokens += part.tokens
            total.ended += part.ended
        }
        let count = Double(prompts.count)
        return [
            "\(name)_kl": total.divergence / count,
            "\(name)_response_tokens": Double(total.tokens) / count,
            "\(name)_end_share": Double(total.ended) / count,
        ]
    }

    /// Sums over the responses to some prompts.
    private struct Sums: Codable {
        var divergence = 0.0
        var tokens = 0
        var ended = 0
    }

    private func sums(_ prompts: [TokenisedPrompt], progress: PartProgressHandler) throws -> Sums {
        guard !prompts.isEmpty else { return Sums() }
        let responses = try sampler.responses(to: prompts, progress: progress) { [random.split(prompts[$0].id)] }.map { $0[0] }
        let scorer = TokenScorer(
            decoder: reference, temperature: sampler.options.temperature, validTokens: sampler.tokenizer.vocabularySize)
        var sums = Sums()
        let length = { (response: SampledResponse) in response.prompt.tokens.count + response.drawn.tokens.count }
        for part in Packing.parts(responses.filter { !$0.drawn.tokens.isEmpty }, tokensPerPass: 2048, length: length) {
            let scores = scorer.scores(TargetPass(prompts: part.map(\.prompt.tokens), targets: part.map(\.drawn.tokens)))
            for (response, scores) in zip(part, scores) {
                sums.divergence += zip(response.drawn.logProbs, scores.logProbs).reduce(0) { $0 + Double($1.0) - Double($1.1) }
            }
        }
        sums.tokens = responses.reduce(0) { $0 + $1.drawn.tokens.count }
        sums.ended = responses.count { $0.drawn.ended }
        return sums
    }
}
