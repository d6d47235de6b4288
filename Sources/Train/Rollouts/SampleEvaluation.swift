public import Data
public import Eval
public import Tensor

/// Texts that a model writes for some prompts, and what they measure.
public struct SampleEvaluation {
    /// Writes the texts.
    public var sampler: ResponseSampler
    /// Every prompt has a stream of its own in it, named by the prompt's id.
    public var random: Philox
    /// Scores them, when a score is wanted.
    public var rewardFunction: (any RewardFunction)?

    /// An evaluation; see the properties.
    public init(_ sampler: ResponseSampler, random: Philox, rewardFunction: (any RewardFunction)? = nil) {
        (self.sampler, self.random, self.rewardFunction) = (sampler, random, rewardFunction)
    }

    /// One row for every prompt, in order, with the numbers `tokens` and `ended`.
    /// - Throws: `GenerationError`; what the reward function throws.
    public func rows(_ prompts: [TokenisedPrompt]) throws -> [SampleRow] {
        let responses = try sampler.responses(to: prompts) { [random.split(prompts[$0].id)] }.map { $0[0] }
        let rewards = try rewardFunction?.checkedRewards(for: responses)
        return responses.indices.map {
            responses[$0].row(
                reward: rewards?[$0],
                numbers: ["tokens": Double(responses[$0].drawn.tokens.count), "ended": responses[$0].drawn.ended ? 1 : 0])
        }
    }

    /// `<name>_average_…` and `<name>_median_…` of everything that is measured of the rows.
    public static func values(of rows: [SampleRow], name: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for (key, value) in GenerationMetrics.measure(rows).averagesAndMedians { values["\(name)_\(key)"] = value }
        return values
    }
}
