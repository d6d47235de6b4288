public import Data
public import Eval
public import Models
public import Tensor

/// Texts that a model writes for some prompts, and what they measure.
public struct SampleEvaluation {
    /// Writes the texts.
    public var generator: Generator
    /// Reads them.
    public var tokenizer: any Tokenizer
    /// How they are drawn.
    public var options: SamplingOptions
    /// Every prompt has a stream of its own in it, named by the prompt's id.
    public var random: Philox
    /// Scores them, when a score is wanted.
    public var rewardFunction: (any RewardFunction)?

    /// An evaluation; see the properties.
    public init(
        generator: Generator, tokenizer: any Tokenizer, options: SamplingOptions, random: Philox,
        rewardFunction: (any RewardFunction)? = nil
    ) {
        self.generator = generator
        self.tokenizer = tokenizer
        self.options = options
        self.random = random
        self.rewardFunction = rewardFunction
    }

    /// One row for every prompt, in order, with the numbers `tokens` and `ended`.
    /// - Throws: `GenerationError`; what the reward function throws.
    public func rows(_ prompts: [TokenisedPrompt]) throws -> [SampleRow] {
        let responses = try generator.generate(
            prompts.map { GenerationRequest(prompt: $0.tokens, streams: [random.split($0.id)]) }, options: options
        ).map { $0[0] }
        let texts = responses.map { tokenizer.decode($0.tokens, skippingSpecialTokens: true) }
        let rewards = try rewardFunction?.checkedRewards(
            for: prompts.indices.map {
                RewardRequest(
                    query: prompts[$0].query, response: texts[$0], reference: prompts[$0].reference,
                    promptTokens: prompts[$0].tokens, responseTokens: responses[$0].tokens)
            })
        return prompts.indices.map {
            SampleRow(
                id: prompts[$0].id, input: prompts[$0].query, response: texts[$0], reference: prompts[$0].reference,
                reward: rewards?[$0],
                numbers: ["tokens": Double(responses[$0].tokens.count), "ended": responses[$0].ended ? 1 : 0])
        }
    }

    /// `<name>_average_…` and `<name>_median_…` of everything that is measured of the rows.
    public static func values(of rows: [SampleRow], name: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for (key, value) in GenerationMetrics.measure(rows).averagesAndMedians { values["\(name)_\(key)"] = value }
        return values
    }
}
