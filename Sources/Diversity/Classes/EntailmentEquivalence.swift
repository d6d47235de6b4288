/// Two answers are equivalent if entailment is the most probable label in both directions (Kuhn et al. 2023; Farquhar et al.
/// 2024).
public struct EntailmentEquivalence: AnswerEquivalence {
    public var name: String {
        "entailment in both directions by \(model.name)" + (readsInput ? ", after the input" : "")
    }
    public var isCheap: Bool { false }
    private let model: any EntailmentModel
    private let readsInput: Bool

    /// The equivalence for an inference model.
    /// - Parameters:
    ///   - model: the natural language inference model.
    ///   - readsInput: whether the input and a space are put before each answer, as the code of Farquhar et al. does for short
    ///     questions. With long inputs, few tokens of the answer fit into the model's context.
    public init(_ model: any EntailmentModel, readsInput: Bool = false) {
        self.model = model
        self.readsInput = readsInput
    }

    /// Decides each pair. The second direction is only computed for pairs in which the first text entails the second.
    public func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) throws -> [Bool] {
        func text(_ index: Int) -> String {
            let facts = collection.facts
            guard readsInput, let input = facts.input(of: index), facts.prompts.indices.contains(input) else {
                return collection.texts[index]
            }
            return facts.prompts[input] + " " + collection.texts[index]
        }
        var result = try entails(pairs.map { EntailmentPair(premise: text($0.first), hypothesis: text($0.second)) })
        let open = pairs.indices.filter { result[$0] }
        let back = try entails(open.map { EntailmentPair(premise: text(pairs[$0].second), hypothesis: text(pairs[$0].first)) })
        for (place, entailed) in zip(open, back) { result[place] = entailed }
        return result
    }

    private func entails(_ pairs: [EntailmentPair]) throws -> [Bool] {
        guard !pairs.isEmpty else { return [] }
        let answers = try model.probabilities(of: pairs)
        guard answers.count == pairs.count else {
            throw DiversityError.wrongCount(of: "label probabilities", got: answers.count, expected: pairs.count)
        }
        return answers.map { $0.entailment > max($0.neutral, $0.contradiction) }
    }
}
