import Formats

extension Comparison {
    /// Decodes a prompt and two answers, as texts or as messages. Without a prompt, what both answers begin with is the
    /// prompt.
    /// - Throws: `RowProblem`.
    static func preference(_ record: Record, id: String) throws -> Comparison {
        let id = try record.identifier("id") ?? id
        if let comparison = try conversational(record, id: id) { return comparison }
        var (chosen, rejected) = (try record.text("chosen"), try record.text("rejected"))
        var prompt = ""
        if try record.has("prompt") {
            prompt = try record.text("prompt")
        } else {
            let shared = try sharedPrefix(chosen, rejected)
            (prompt, chosen, rejected) = (shared.prompt, shared.chosen, shared.rejected)
        }
        return try pair(record, id: id, prompt: prompt, chosen: chosen, rejected: rejected, format: .verbatim)
    }

    /// Decodes two dialogues that diverge in an answer of the assistant. The text before the answer, unchanged, is the
    /// prompt.
    /// - Throws: `RowProblem`.
    static func dialogues(_ record: Record, id: String) throws -> Comparison {
        let sides = try Dialogue.parted(record)
        return try pair(
            record, id: try record.identifier("id") ?? id, prompt: sides.prompt, chosen: sides.chosen, rejected: sides.rejected,
            format: .verbatim)
    }

    /// Decodes two dialogues like `dialogues`, but with their turns as messages.
    /// - Throws: `RowProblem`.
    static func dialogueMessages(_ record: Record, id: String) throws -> Comparison {
        let sides = try Dialogue.parted(record)
        let prompt = try Dialogue.messages(sides.prompt, column: "chosen")
        let answers = try [("chosen", sides.chosen), ("rejected", sides.rejected)].map { column, rest in
            let messages = try Dialogue.messages(Dialogue.answer + rest, column: column)
            guard messages.last.map(Conversation.isAssistant) ?? false else {
                throw RowProblem.unfit("\"\(column)\" does not end with an assistant turn")
            }
            return messages
        }
        return Comparison(id: try record.identifier("id") ?? id, prompt: prompt, chosen: answers[0], rejected: answers[1])
    }

    /// Decodes an instruction and two answers; the column `preference` is the number of the better one.
    /// - Throws: `RowProblem`.
    static func alpaca(_ record: Record, id: String) throws -> Comparison {
        let instruction = try SummaryExample.instruction(record, id: id, answer: "")
        let answers = try [record.text("output_1"), record.text("output_2")]
        let preference = try record.integer("preference")
        guard preference == 1 || preference == 2 else {
            throw RowProblem.unfit("\"preference\" must be 1 or 2, not \(preference); remove ties")
        }
        let comparison = Comparison(of: instruction, summaries: answers, choice: preference - 1)
        try comparison.checkThatSidesDiffer("output_1", "output_2")
        return comparison
    }

    /// Creates a labelled answer: the example's summary, desirable or not.
    init(of example: SummaryExample, isWanted: Bool) {
        self.init(of: example, summaries: [example.summary, example.summary], choice: isWanted ? 0 : 1)
        // keep the messages as they are: an answer may consist of more than one
        if let conversation = example.conversation { conversations = [conversation, conversation] }
        isSingle = true
    }

    /// Creates a comparison of two texts, which must differ.
    private static func pair(
        _ record: Record, id: String, prompt: String, chosen: String, rejected: String, format: PromptFormat
    ) throws -> Comparison {
        let comparison = Comparison(
            id: id, subreddit: "", title: "", post: prompt, summaries: [chosen, rejected], choice: 0,
            batch: try? record.optionalText("batch"), promptFormat: format)
        try comparison.checkThatSidesDiffer("chosen", "rejected")
        return comparison
    }

    /// Checks that the summaries differ.
    /// - Throws: `RowProblem` that names the two columns.
    private func checkThatSidesDiffer(_ first: String, _ second: String) throws {
        guard !summaries[0].utf8.elementsEqual(summaries[1].utf8) else {
            throw RowProblem.unfit("\"\(first)\" and \"\(second)\" are identical, so neither is preferred")
        }
    }

    /// The common prefix of two texts, and the rest of each, which is never empty. A space before the first difference
    /// belongs to the answers.
    private static func sharedPrefix(
        _ chosen: String, _ rejected: String
    ) throws -> (prompt: String, chosen: String, rejected: String) {
        let (first, second) = (Array(chosen.unicodeScalars), Array(rejected.unicodeScalars))
        let limit = min(first.count, second.count)
        var shared = zip(first, second).prefix { $0 == $1 }.count
        if shared == limit {
            shared = max(0, limit - 1)
        } else if shared > 0, first[shared - 1] == " " {
            shared -= 1
        }
        guard shared > 0 else {
            throw RowProblem.unfit("there is no \"prompt\", and \"chosen\" and \"rejected\" have no common beginning")
        }
        func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            return String(text)
        }
        return (text(first[..<shared]), text(first[shared...]), text(second[shared...]))
    }
}
