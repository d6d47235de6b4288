public import Data
public import Eval
public import Tensor

/// Samples texts from a model for some prompts, and measures them.
public struct SampleEvaluation {
    /// Samples the texts.
    public var sampler: ResponseSampler
    /// The random stream, from which every prompt's stream is derived with the prompt's ID.
    public var random: Philox
    /// Scores the texts; nil for no scores.
    public var rewardFunction: (any RewardFunction)?

    /// An evaluation; see the properties.
    public init(_ sampler: ResponseSampler, random: Philox, rewardFunction: (any RewardFunction)? = nil) {
        (self.sampler, self.random, self.rewardFunction) = (sampler, random, rewardFunction)
    }

    /// Samples one response per prompt: one row each, in order, with the numbers `tokens` and `ended`.
    /// - Throws: `GenerationError`; errors of the reward function.
    public func rows(_ prompts: [TokenisedPrompt]) throws -> [SampleRow] {
        let responses = try sampler.responses(to: prompts) { [random.split(prompts[$0].id)] }.map { $0[0] }
        let rewards = try rewardFunction?.checkedRewards(for: responses)
        return responses.indices.map {
            responses[$0].row(
                reward: rewards?[$0],
                numbers: ["tokens": Double(responses[$0].drawn.tokens.count), "ended": responses[$0].drawn.ended ? 1 : 0])
        }
    }

    /// Samples one response per prompt, as ``rows(_:)`` does. Each rank samples for a share of the prompts, and all get every row.
    /// - Throws: as ``rows(_:)``; ``CollectiveError`` when another rank fails.
    package func rows(_ prompts: [TokenisedPrompt], among collective: any Collective) throws -> [SampleRow] {
        try collective.sharing(prompts, tokens: \.tokens.count) { $0.isEmpty ? [] : try rows($0) }.flatMap { $0 }
    }

    /// The averages and medians of all metrics of the rows, as `<name>_average_…` and `<name>_median_…`.
    public static func values(of rows: [SampleRow], name: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for (key, value) in GenerationMetrics.measure(rows).averagesAndMedians { values["\(name)_\(key)"] = value }
        return values
    }
}
