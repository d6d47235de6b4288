/// What is known of the texts of a measurement besides their wording: whose answers they are, and their numbers.
///
/// Metrics of sets of texts alone need none of it; those of quality and meaning find it in ``TextCollection/facts``.
public struct AnswerFacts: Sendable, Equatable {
    /// The reward of each text; nil where it has none, empty where nothing is known.
    public var rewards: [Double?] = []
    /// The mean log-probability of a token of each text, under the model that wrote it.
    public var meanLogProbs: [Double?] = []
    /// The input that each text answers, by its number.
    public var inputs: [Int] = []
    /// The text of each input.
    public var prompts: [String] = []
    /// The references of each input.
    public var references: [[String]] = []

    /// Nothing is known.
    public init() {}

    /// What the outputs of some inputs bring along, numbered through as in a ``DiversityPlan``.
    public init(_ groups: [DiversityInput.Group]) {
        for (number, group) in groups.enumerated() {
            rewards += group.outputs.map(\.reward)
            meanLogProbs += group.outputs.map(\.meanLogProb)
            inputs += group.outputs.map { _ in number }
        }
        prompts = groups.map(\.input)
        references = groups.map(\.references)
    }

    /// The reward of a text, where there is one.
    public func reward(of text: Int) -> Double? { rewards.indices.contains(text) ? rewards[text] : nil }
    /// The mean log-probability of a text's tokens, where there is one.
    public func meanLogProb(of text: Int) -> Double? { meanLogProbs.indices.contains(text) ? meanLogProbs[text] : nil }
    /// The number of the input that a text answers.
    public func input(of text: Int) -> Int? { inputs.indices.contains(text) ? inputs[text] : nil }

    /// Whether any text has a reward.
    public var hasRewards: Bool { rewards.contains { $0 != nil } }
    /// Whether any text has a log-probability.
    public var hasLogProbs: Bool { meanLogProbs.contains { $0 != nil } }
    /// Whether any input has a reference.
    public var hasReferences: Bool { references.contains { !$0.isEmpty } }
}
