public import Data
public import Eval
public import Models
public import Tensor

/// Writes responses to prompts: what rollouts, evaluations, best-of-N and simulated preferences have in common.
public struct ResponseSampler {
    /// Draws the tokens.
    public var generator: Generator
    /// Of the model that draws.
    public var tokenizer: any Tokenizer
    /// How tokens are drawn.
    public var options: SamplingOptions

    /// A sampler; see the properties.
    public init(_ generator: Generator, tokenizer: any Tokenizer, options: SamplingOptions) {
        (self.generator, self.tokenizer, self.options) = (generator, tokenizer, options)
    }

    /// For every prompt one response for each of its random streams.
    /// - Parameter streams: those of the prompt with this index.
    /// - Throws: `GenerationError`.
    public func responses(to prompts: [TokenisedPrompt], streams: (Int) -> [Philox]) throws -> [[SampledResponse]] {
        let requests = prompts.indices.map { GenerationRequest(prompt: prompts[$0].tokens, streams: streams($0)) }
        return zip(prompts, try generator.generate(requests, options: options)).map { prompt, answers in
            answers.map {
                SampledResponse(prompt: prompt, drawn: $0, text: tokenizer.decode($0.tokens, skippingSpecialTokens: true))
            }
        }
    }
}

/// A response with the prompt that it answers.
public struct SampledResponse {
    /// What it answers.
    public var prompt: TokenisedPrompt
    /// Its tokens, and what was found while they were drawn.
    public var drawn: GeneratedResponse
    /// Its text, without special tokens.
    public var text: String

    /// The response as rewards see it.
    public var request: RewardRequest {
        RewardRequest(
            query: prompt.query, response: text, reference: prompt.knownReference, messages: prompt.messages, promptTokens: prompt.tokens,
            responseTokens: drawn.tokens)
    }

    /// A row of a table.
    func row(reward: Double?, numbers: [String: Double]) -> SampleRow {
        SampleRow(id: prompt.id, input: prompt.query, response: text, reference: prompt.knownReference, reward: reward, numbers: numbers)
    }
}

extension TokenisedPrompt {
    /// The reference; nil where it is empty, which is none.
    fileprivate var knownReference: String? { reference.isEmpty ? nil : reference }
}

extension RewardFunction {
    /// Whether all prompts have the references that the function needs.
    /// - Throws: `RewardError.noReference`.
    package func checkReferences(of prompts: [TokenisedPrompt]) throws {
        try checkReferences(prompts.map { RewardRequest(query: $0.query, response: "", reference: $0.knownReference) })
    }

    /// One number for every response, in order.
    /// - Parameters:
    ///   - batch: how many responses are scored together, for rewards that depend on that; all of them unless given.
    ///   - trunkLayers: how many layers the states that responses may have were taken behind.
    /// - Throws: ``RewardError/wrongCount(_:expected:)``; what the function itself throws.
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

    /// The same where every number has to be within the range of 32-bit floats.
    /// - Throws: ``RewardError/outOfRange(_:response:)``, too.
    func checkedRewards(for responses: [SampledResponse]) throws -> [Double] {
        try checkedRewards(for: responses.map(\.request))
    }
}
