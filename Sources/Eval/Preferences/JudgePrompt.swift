/// The prompt for a language model that judges two texts, and the interpretation of its answer.
public enum JudgePrompt {
    /// The names of the two texts in a prompt; the text shown first has the first name.
    public static let names = ["model_1", "model_2"]

    /// The kind of texts that are judged.
    public enum Subject: String, Codable, Sendable, CaseIterable {
        /// Summaries: of a news article if the input begins with `ARTICLE:`, otherwise of a forum post.
        case summaries
        /// Answers to instructions.
        case instructions
    }

    /// How the model is asked to answer.
    public enum Closing: Sendable, Equatable {
        /// With a list of both names, the better text first.
        case list
        /// With only the name of the better text, so that the first token contains the verdict.
        case word
    }

    /// The complete prompt for judging summaries.
    public static func text(for question: PairwiseQuestion) -> String { text(for: question, .summaries) }

    /// The complete prompt for a question.
    /// - Parameters:
    ///   - question: the two texts.
    ///   - subject: the kind of texts.
    ///   - labels: the names of the two texts.
    ///   - closing: how the model is asked to answer.
    ///   - allowsTies: whether the model is told that it may answer `tie`.
    public static func text(
        for question: PairwiseQuestion, _ subject: Subject, labels: JudgeLabels = .names, closing: Closing = .list, allowsTies: Bool = false
    ) -> String {
        let names = [labels.first, labels.second]
        let kind = question.input.hasPrefix("ARTICLE:") ? "news article" : "forum post"
        let opening =
            switch subject {
            case .summaries:
                """
                Two systems, \(names[0]) and \(names[1]), have summarised the same \(kind). Decide which summary is better. A good summary says \
                only what the \(kind) says, leaves out none of its important points, and is precise and concise. Its position and \
                its length do not matter.
                """
            case .instructions:
                """
                Two systems, \(names[0]) and \(names[1]), have been given the same instruction. Decide whose answer is better. A good answer does \
                everything that the instruction asks for and nothing else, and is correct and useful. Its position and its \
                length do not matter.
                """
            }
        let (input, output) =
            switch subject {
            case .summaries: ("The \(kind)", "Summary")
            case .instructions: ("The instruction", "Answer")
            }
        let end =
            switch closing {
            case .list:
                """
                Answer with nothing but a list of the two names, the better one first: ["\(names[0])", "\(names[1])"] or ["\(names[1])", \
                "\(names[0])"].
                """
            case .word: "Answer with nothing but the name of the better one: \(names[0]) or \(names[1])."
            }
        return """
            \(opening)

            \(input):
            \(trimmed(question.input))

            \(output) of \(names[0]):
            \(trimmed(question.first))

            \(output) of \(names[1]):
            \(trimmed(question.second))

            \(end)\(allowsTies ? " If neither is better, answer with nothing but the word tie." : "")
            """
    }

    /// The preference that an answer states, as parsed by ``JudgeLabels``; the plain words `first`, `second` and `tie` are
    /// accepted as well.
    /// - Returns: nil for an answer without a verdict.
    public static func preference(in answer: String) -> Preference? {
        Preference(rawValue: answer.filter { $0.isLetter || $0 == "?" }.lowercased()) ?? JudgeLabels.names.preference(in: answer)
    }

    static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
