extension AnswerDiversity {
    /// The fraction of the other answers that do not mean the same as an answer; 0 for a single answer. Two answers mean the
    /// same if they are equal, or if entailment is the most probable label in both directions (Farquhar et al. 2024).
    /// - Parameter model: the inference model; errors that it throws are passed on by the measure.
    public static func entailment(_ model: any EntailmentModel) -> AnswerDiversity {
        AnswerDiversity("entailment by \(model.name)") { answers in
            let count = answers.count
            guard count > 1 else { return answers.map { _ in 0 } }
            var pairs: [EntailmentPair] = []
            for i in 0..<count {
                for j in 0..<i where answers[i] != answers[j] {
                    pairs.append(EntailmentPair(premise: answers[i], hypothesis: answers[j]))
                    pairs.append(EntailmentPair(premise: answers[j], hypothesis: answers[i]))
                }
            }
            let entails = try model.probabilities(of: pairs).map { $0.entailment > max($0.neutral, $0.contradiction) }
            var (different, next) = ([Double](repeating: 0, count: count), 0)
            for i in 0..<count {
                for j in 0..<i where answers[i] != answers[j] {
                    if !(entails[next] && entails[next + 1]) {
                        different[i] += 1
                        different[j] += 1
                    }
                    next += 2
                }
            }
            return different.map { $0 / Double(count - 1) }
        }
    }
}
