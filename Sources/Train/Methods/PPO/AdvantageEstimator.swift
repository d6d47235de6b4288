import Tensor

/// An advantage estimator: computes advantages from the rewards of a step's responses. It identifies the method, with its
/// requirements and published settings.
///
/// For a custom estimator, assign a value of this type to ``PPOConfig/advantages``. Docs/methods.md lists the formulas.
public struct AdvantageEstimator: Sendable {
    /// The inputs of an advantage estimator.
    public enum Source: Sendable {
        /// Rewards and the values of a value head; see
        /// ``Advantages/estimated(rewards:values:end:bootstrap:ratios:discount:lambda:usesGAE:)``.
        case values(usesGAE: Bool)
        /// Rewards alone. The function returns the advantage of every token of each response.
        case rewards(@Sendable ([RewardedResponse], PPOConfig) -> [[Double]])
    }

    /// The name of the estimator.
    public let name: String
    /// The name of the method that uses the estimator, such as `ppo`: the label of progress lines.
    public let method: String
    /// The inputs of the estimator.
    public let source: Source
    /// The minimum number of responses per prompt.
    public let fewestGenerations: Int
    /// Whether a greedy response to every prompt is generated and scored, too.
    public let needsGreedyScore: Bool
    /// Applies the published settings of the method.
    public let configure: @Sendable (inout PPOConfig) -> Void

    /// An estimator; see the properties. Default of the method: the name of the estimator.
    public init(
        _ name: String, _ source: Source, method: String? = nil, fewestGenerations: Int = 1, needsGreedyScore: Bool = false,
        configure: @escaping @Sendable (inout PPOConfig) -> Void = { _ in }
    ) {
        self.name = name
        self.method = method ?? name
        self.source = source
        self.fewestGenerations = fewestGenerations
        self.needsGreedyScore = needsGreedyScore
        self.configure = configure
    }

    /// Whether the method has a value head.
    public var usesValues: Bool { if case .values = source { true } else { false } }

    /// Whether advantages follow the recursion of GAE; nil without a value head.
    var usesGAE: Bool? { if case .values(let usesGAE) = source { usesGAE } else { nil } }
}

/// A response with its token rewards.
public struct RewardedResponse: Sendable {
    /// The index of the prompt in the step, from 0.
    public var group: Int
    /// The rewards of the tokens. The score is part of the last one.
    public var rewards: [Float]
    /// The score of the greedy response to the same prompt, if the method needs it.
    public var greedyScore: Double?

    /// A response; see the properties.
    public init(group: Int, rewards: [Float], greedyScore: Double? = nil) {
        (self.group, self.rewards, self.greedyScore) = (group, rewards, greedyScore)
    }

    /// The sum of the token rewards.
    public var total: Double { rewards.reduce(0) { $0 + Double($1) } }

    /// The discounted return from every token on: Σ_k γᵏ r_{t+k}.
    func returns(discount: Double) -> [Double] {
        var (next, result) = (0.0, [Double](repeating: 0, count: rewards.count))
        for t in rewards.indices.reversed() {
            next = Double(rewards[t]) + discount * next
            result[t] = next
        }
        return result
    }
}

extension AdvantageEstimator {
    /// PPO: generalised advantage estimation with a value head (Schulman et al. 2016, 2017).
    public static let gae = AdvantageEstimator("gae", .values(usesGAE: true), method: "ppo")

    /// V-trace: the token's reward plus the discounted return after it, minus its value (Espeholt et al. 2018).
    public static let vtrace = AdvantageEstimator("vtrace", .values(usesGAE: false), method: "ppo")

    /// RLOO: the reward minus the mean reward of the other responses to the prompt (leave-one-out: Ahmadian et al. 2024).
    public static let rloo = AdvantageEstimator(
        "rloo",
        .rewards { responses, _ in
            byGroup(responses) { totals in
                let sum = totals.reduce(0, +)
                return totals.map { $0 - (sum - $0) / Double(totals.count - 1) }
            }
        }, fewestGenerations: 2
    ) {
        $0.setWithoutValues(generations: 4, klEstimator: .k1)
        ($0.ratio, $0.aggregation) = (.sequenceSum, .sequences)
    }

    /// GRPO: the reward minus the mean reward of the responses to the prompt, divided by their standard deviation + 1e-4, or as
    /// ``PPOConfig/rewardScaling`` says (Shao et al. 2024). The KL is part of the loss.
    public static let grpo = AdvantageEstimator(
        "grpo",
        .rewards { responses, config in
            let all = deviation(of: responses.map(\.total))
            return byGroup(responses) { totals in
                let mean = totals.reduce(0, +) / Double(totals.count)
                let scale =
                    switch config.rewardScaling {
                    case .group: deviation(of: totals) + 1e-4
                    case .batch: all + 1e-4
                    case .none: 1.0
                    }
                return totals.map { ($0 - mean) / scale }
            }
        }, fewestGenerations: 2
    ) {
        $0.setWithoutValues(generations: 4, klEstimator: .k3)
        $0.klAsReward = false
    }

    /// REINFORCE: the discounted return from each token on, without a baseline (Williams 1992).
    public static let reinforce = AdvantageEstimator(
        "reinforce", .rewards { responses, config in responses.map { $0.returns(discount: config.discount) } }
    ) {
        $0.setWithoutValues(generations: 1, klEstimator: .k1)
    }

    /// REINFORCE++: as ``reinforce``, normalised to mean 0 and standard deviation 1 over the tokens of an optimiser step (Hu
    /// 2025).
    public static let reinforcePlusPlus = AdvantageEstimator("reinforce++", reinforce.source) {
        $0.setWithoutValues(generations: 1, klEstimator: .k1)
        $0.normalisesAdvantages = true
    }

    /// ReMax: the discounted return minus the score of the greedy response to the prompt (Li et al. 2024).
    public static let remax = AdvantageEstimator(
        "remax",
        .rewards { responses, config in
            responses.map { response in response.returns(discount: config.discount).map { $0 - (response.greedyScore ?? 0) } }
        }, needsGreedyScore: true
    ) {
        $0.setWithoutValues(generations: 1, klEstimator: .k1)
    }

    /// The built-in estimators.
    public static let builtIn = [gae, vtrace, rloo, grpo, reinforce, reinforcePlusPlus, remax]

    /// One advantage per response for all of its tokens, computed from the total rewards of its group.
    private static func byGroup(_ responses: [RewardedResponse], _ advantages: ([Double]) -> [Double]) -> [[Double]] {
        var result = [[Double]](repeating: [], count: responses.count)
        for members in Dictionary(grouping: responses.indices, by: { responses[$0].group }).values {
            for (index, advantage) in zip(members, advantages(members.map { responses[$0].total })) {
                result[index] = Array(repeating: advantage, count: responses[index].rewards.count)
            }
        }
        return result
    }

    private static func deviation(of numbers: [Double]) -> Double {
        numbers.reduce(into: RunningMoments()) { $0.add($1) }.deviation
    }
}

extension PPOConfig {
    /// The settings that methods without a value head have in common: one pass over the responses, and no normalisation of
    /// advantages.
    fileprivate mutating func setWithoutValues(generations: Int, klEstimator: KLEstimator) {
        (self.generations, self.klEstimator, epochs, normalisesAdvantages) = (generations, klEstimator, 1, false)
    }
}
