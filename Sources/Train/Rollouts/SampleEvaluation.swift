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
    /// - Parameters:
    ///   - prompts: the prompts.
    ///   - progress: called with the numbers of finished responses and of sampled tokens.
    /// - Throws: `GenerationError`; errors of the reward function and of `progress`.
    public func rows(_ prompts: [TokenisedPrompt], progress: PartProgressHandler = { _, _ in }) throws -> [SampleRow] {
        let responses = try sampler.responses(to: prompts, progress: progress) { [random.split(prompts[$0].id)] }.map { $0[0] }
        let rewards = try rewardFunction?.checkedRewards(for: responses)
        return responses.indices.map {
            responses[$0].row(
                reward: rewards?[$0],
                numbers: ["tokens": Double(responses[$0].drawn.tokens.count), "ended": responses[$0].drawn.ended ? 1 : 0])
        }
    }

    /// Samples one response per prompt, as ``rows(_:progress:)`` does. Each rank samples for a share of the prompts, and all get every row. If
    /// the reward depends on the batch, one rank samples for all prompts.
    /// - Parameters:
    ///   - prompts: the prompts.
    ///   - collective: the ranks that share the prompts.
    ///   - progress: called with the numbers of finished responses and of sampled tokens; those of all ranks are estimated from
    ///     those of this one.
    /// - Throws: as ``rows(_:progress:)``; ``CollectiveError`` when another rank fails.
    public func rows(
        _ prompts: [TokenisedPrompt], among collective: any Collective, progress: PartProgressHandler = { _, _ in }
    ) throws -> [SampleRow] {
        guard collective.size > 1 else { return try rows(prompts, progress: progress) }
        let unit = rewardFunction?.dependsOnBatch == true ? prompts.count : 1
        return try collective.sharing(prompts, unit: unit, tokens: { $0.tokens.count + sampler.options.maxNewTokens }) { part in
            guard !part.isEmpty else { return [RowMessage]() }
            return try rows(part) { try collective.estimating(part.count, of: prompts.count, progress, $0, $1) }.map(RowMessage.init)
        }.flatMap { $0.map(\.row) }
    }

    /// The averages and medians of all metrics of the rows, as `<name>_average_…` and `<name>_median_…`.
    public static func values(of rows: [SampleRow], name: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for (key, value) in GenerationMetrics.measure(rows).averagesAndMedians { values["\(name)_\(key)"] = value }
        return values
    }
}
