/// What is known about the texts of a measurement apart from their wording: which input each answers, rewards and
/// log-probabilities.
///
/// Metrics of the texts alone ignore it; metrics of quality and meaning read it from ``TextCollection/facts``.
public struct AnswerFacts: Sendable, Equatable {
    /// The reward of each text, nil for a text without one; empty if nothing is known.
    public var rewards: [Double?] = []
    /// The mean log-probability per token of each text under the model that generated it; nil for a text without one.
    public var meanLogProbs: [Double?] = []
    /// The number of the input that each text answers.
    public var inputs: [Int] = []
    /// The text of each input.
    public var prompts: [String] = []
    /// The reference texts of each input.
    public var references: [[String]] = []

    /// Creates facts in which nothing is known.
    public init() {}

    /// Collects the facts about the outputs of some inputs, with texts numbered consecutively as in a ``DiversityPlan``.
    public init(_ groups: [DiversityInput.Group]) {
        for (number, group) in groups.enumerated() {
            rewards += group.outputs.map(\.reward)
            meanLogProbs += group.outputs.map(\.meanLogProb)
            inputs += group.outputs.map { _ in number }
        }
        prompts = groups.map(\.input)
        references = groups.map(\.references)
    }

    /// The reward of a text; nil if it has none.
    public func reward(of text: Int) -> Double? { rewards.indices.contains(text) ? rewards[text] : nil }
    /// The mean log-probability per token of a text; nil if it is unknown.
    public func meanLogProb(of text: Int) -> Double? { meanLogProbs.indices.contains(text) ? meanLogProbs[text] : nil }
    /// The number of the input that a text answers; nil if it is unknown.
    public func input(of text: Int) -> Int? { inputs.indices.contains(text) ? inputs[text] : nil }

    /// Whether any text has a reward.
    public var hasRewards: Bool { rewards.contains { $0 != nil } }
    /// Whether any text has a log-probability.
    public var hasLogProbs: Bool { meanLogProbs.contains { $0 != nil } }
    /// Whether any input has a reference.
    public var hasReferences: Bool { references.contains { !$0.isEmpty } }
}
