public import Data
public import Eval
public import Models
public import Tensor

/// Samples responses to prompts. Rollouts, evaluations, best-of-N and simulated preferences use it.
public struct ResponseSampler {
    /// Samples the tokens.
    public var generator: Generator
    /// The tokenizer of the model that samples.
    public var tokenizer: any Tokenizer
    /// The sampling options.
    public var options: SamplingOptions

    /// A sampler; see the properties.
    public init(_ generator: Generator, tokenizer: any Tokenizer, options: SamplingOptions) {
        (self.generator, self.tokenizer, self.options) = (generator, tokenizer, options)
    }

    /// Samples responses to every prompt, one for each of its random streams.
    /// - Parameters:
    ///   - prompts: the prompts to answer.
    ///   - streams: returns the random streams of the prompt with this index.
    ///   - progress: called with the numbers of finished responses and of sampled tokens.
    /// - Throws: `GenerationError`; errors of `progress`.
    public func responses(
        to prompts: [TokenisedPrompt], progress: PartProgressHandler = { _, _ in }, streams: (Int) -> [Philox]
    ) throws -> [[SampledResponse]] {
        let requests = prompts.indices.map { GenerationRequest(prompt: prompts[$0].tokens, streams: streams($0)) }
        var finished = 0
        let count: Generator.Observer = { _, _, tokens in
            if tokens.count >= options.maxNewTokens || tokens.last.map(generator.ends.contains) == true { finished += 1 }
            return true
        }
        let drawn = try withoutActuallyEscaping(progress) { progress in
            try generator.generate(requests, options: options, progress: { try progress(finished, $0) }, observer: count)
        }
        return zip(prompts, drawn).map { prompt, answers in
            answers.map {
                SampledResponse(prompt: prompt, drawn: $0, text: tokenizer.decode($0.tokens, skippingSpecialTokens: true))
            }
        }
    }
}

/// A response with its prompt.
public struct SampledResponse {
    /// The prompt.
    public var prompt: TokenisedPrompt
    /// The tokens, with their log-probabilities and other results of sampling.
    public var drawn: GeneratedResponse
    /// The text, without special tokens.
    public var text: String

    /// The request for a reward function.
    public var request: RewardRequest {
        RewardRequest(
            query: prompt.query, response: text, reference: prompt.knownReference, messages: prompt.messages, promptTokens: prompt.tokens,
            responseTokens: drawn.tokens)
    }

    /// The row of a table.
    func row(reward: Double?, numbers: [String: Double]) -> SampleRow {
        SampleRow(id: prompt.id, input: prompt.query, response: text, reference: prompt.knownReference, reward: reward, numbers: numbers)
    }
}

extension TokenisedPrompt {
    /// The reference; nil if it is empty, which means that there is none.
    fileprivate var knownReference: String? { reference.isEmpty ? nil : reference }
}

extension RewardFunction {
    /// Checks that all prompts have the references that the function needs.
    /// - Throws: `RewardError.noReference`.
    package func checkReferences(of prompts: [TokenisedPrompt]) throws {
        try checkReferences(prompts.map { RewardRequest(query: $0.query, response: "", reference: $0.knownReference) })
    }

    /// The reward of every response, in order.
    /// - Parameters:
    ///   - responses: the responses to score.
    ///   - batch: the number of responses that are scored together, for rewards that depend on it. Default: all.
    ///   - trunkLayers: the number of layers after which the responses' trunk states were taken.
    /// - Throws: `RewardError.wrongCount`; errors of the function itself.
    func rewards(for responses: [SampledResponse], batch: Int? = nil, trunkLayers: Int = 0) throws -> [Double] {
        let size = max(1, batch ?? responses.count)
        let rewards = try stride(from: 0, to: responses.count, by: size).flatMap { begin in
            let part = responses[begin..<min(responses.count, begin + size)]
            let states = part.compactMap(\.drawn.trunk)
            let isKnown = trunkLayers > 0 && states.count == part.count
            return try self.rewards(
                for: part.map(\.request), offering: isKnown ? TrunkStates(states, layers: trunkLayers) : nil)
        }
        guard rewards.count == responses.count else { throw RewardError.wrongCount(rewards.count, expected: responses.count) }
        return rewards
    }

    /// The reward of every response, which must be within the range of 32-bit floats.
    /// - Throws: `RewardError.outOfRange` and the errors of the function itself.
    func checkedRewards(for responses: [SampledResponse]) throws -> [Double] {
        try checkedRewards(for: responses.map(\.request))
    }
}
