/// What a language model is asked that judges two summaries, and what its answer means.
public enum JudgePrompt {
    /// The names that the two texts have in a prompt, the one shown first before the other.
    public static let names = ["model_1", "model_2"]

    /// The whole text for the model. An input that begins with `ARTICLE:` is news, any other one a post of a forum.
    public static func text(for question: PairwiseQuestion) -> String {
        let kind = question.input.hasPrefix("ARTICLE:") ? "news article" : "forum post"
        return """
            Two systems, \(names[0]) and \(names[1]), have summarised the same \(kind). Decide which summary is better. A good summary says \
            only what the \(kind) says, leaves out none of its important points, and is precise and concise. Where it stands, and how \
            long it is, is no merit.

            The \(kind):
            \(trimmed(question.input))

            Summary of \(names[0]):
            \(trimmed(question.first))

            Summary of \(names[1]):
            \(trimmed(question.second))

            Answer with nothing but a list of the two names, the better one first: ["\(names[0])", "\(names[1])"] or ["\(names[1])", \
            "\(names[0])"].
            """
    }

    /// The preference that an answer states: the name that it mentions first, or a tie for the word alone.
    /// - Returns: nil for an answer that names neither.
    public static func preference(in answer: String) -> Preference? {
        let places = names.map { answer.firstRange(of: $0)?.lowerBound }
        switch (places[0], places[1]) {
        case (let first?, let second?): return first < second ? .first : .second
        case (_?, nil): return .first
        case (nil, _?): return .second
        case (nil, nil):
            let word = answer.filter { $0.isLetter }.lowercased()
            return Preference(rawValue: word)
        }
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
