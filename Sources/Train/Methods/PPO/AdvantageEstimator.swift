import Tensor

/// How the rewards of a step's responses become advantages, and with it the method: what it needs, and the settings that it was published with.
///
/// One of your own is a value of this type in ``PPOConfig/advantages``. Formulas are in Docs/methods.md.
public struct AdvantageEstimator: Sendable {
    /// What advantages are taken from.
    public enum Source: Sendable {
        /// Rewards and the values of a value head, as ``Advantages/estimated(rewards:values:end:bootstrap:ratios:discount:lambda:usesGAE:)``
        /// has it.
        case values(usesGAE: Bool)
        /// Rewards alone: the advantage of every token of each response.
        case rewards(@Sendable ([RewardedResponse], PPOConfig) -> [[Double]])
    }

    /// The name.
    public let name: String
    /// What advantages are taken from.
    public let source: Source
    /// The fewest responses to a prompt that it can work with.
    public let fewestGenerations: Int
    /// Whether a greedy response to every prompt is drawn and scored, too.
    public let needsGreedyScore: Bool
    /// Sets what the method was published with.
    public let configure: @Sendable (inout PPOConfig) -> Void

    /// An estimator; see the properties.
    public init(
        _ name: String, _ source: Source, fewestGenerations: Int = 1, needsGreedyScore: Bool = false,
        configure: @escaping @Sendable (inout PPOConfig) -> Void = { _ in }
    ) {
        self.name = name
        self.source = source
        self.fewestGenerations = fewestGenerations
        self.needsGreedyScore = needsGreedyScore
        self.configure = configure
    }

    /// Whether there is a value head.
    public var usesValues: Bool { if case .values = source { true } else { false } }

    /// Whether advantages follow the recursion of GAE; nil without values.
    var usesGAE: Bool? { if case .values(let usesGAE) = source { usesGAE } else { nil } }
}

/// A response with its rewards.
public struct RewardedResponse: Sendable {
    /// The prompt that it answers, 0 for the first of a step.
    public var group: Int
    /// The rewards of its tokens; the score is part of the last one's.
    public var rewards: [Float]
    /// The score of the greedy response to the same prompt, where it is asked for.
    public var greedyScore: Double?

    /// A response; see the properties.
    public init(group: Int, rewards: [Float], greedyScore: Double? = nil) {
        (self.group, self.rewards, self.greedyScore) = (group, rewards, greedyScore)
    }

    /// What it was rewarded with in all.
    public var total: Double { rewards.reduce(0) { $0 + Double($1) } }

    /// Σ γᵏ · reward from every token on.
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
    /// Generalised advantage estimation from a value head (PPO).
    public static let gae = AdvantageEstimator("gae", .values(usesGAE: true))

    /// Reward and return behind a token, minus its value: V-trace's (Espeholt et al. 2018).
    public static let vtrace = AdvantageEstimator("vtrace", .values(usesGAE: false))

    /// The mean reward of the other responses to the prompt is taken off (leave-one-out: Ahmadian et al. 2024).
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

    /// The mean reward of the responses to the prompt is taken off, and the rest divided by their deviation or as
    /// ``PPOConfig/rewardScaling`` has it (GRPO: Shao et al. 2024). The KL is part of the loss.
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

    /// The rewards from each token on, with nothing taken off (Williams 1992).
    public static let reinforce = AdvantageEstimator(
        "reinforce", .rewards { responses, config in responses.map { $0.returns(discount: config.discount) } }
    ) {
        $0.setWithoutValues(generations: 1, klEstimator: .k1)
    }

    /// The same, given mean 0 and deviation 1 over the tokens of an optimiser step (REINFORCE++: Hu 2025).
    public static let reinforcePlusPlus = AdvantageEstimator("reinforce++", reinforce.source) {
        $0.setWithoutValues(generations: 1, klEstimator: .k1)
        $0.normalisesAdvantages = true
    }

    /// The score of the greedy response to the prompt is taken off (ReMax: Li et al. 2024).
    public static let remax = AdvantageEstimator(
        "remax",
        .rewards { responses, config in
            responses.map { response in response.returns(discount: config.discount).map { $0 - (response.greedyScore ?? 0) } }
        }, needsGreedyScore: true
    ) {
        $0.setWithoutValues(generations: 1, klEstimator: .k1)
    }

    /// All of this package.
    public static let builtIn = [gae, vtrace, rloo, grpo, reinforce, reinforcePlusPlus, remax]

    /// One number a response, from the totals of its group, for all of its tokens.
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
    /// What methods without a value head have in common: one pass over the responses, and advantages as they are.
    fileprivate mutating func setWithoutValues(generations: Int, klEstimator: KLEstimator) {
        (self.generations, self.klEstimator, epochs, normalisesAdvantages) = (generations, klEstimator, 1, false)
    }
}
