import Formats

extension SummaryExample {
    /// Decodes a prompt with its completion, if there is one, as texts or as messages.
    /// - Throws: `RowProblem`.
    static func answered(_ record: Record, id: String) throws -> SummaryExample {
        let id = try record.identifier("id") ?? id
        let hasCompletion = try record.has("completion")
        if try record.holdsList("prompt") {
            let response = hasCompletion ? try Conversation.messages("completion", of: record) : []
            let prompt = try Conversation.messages("prompt", of: record)
            return SummaryExample(id: id, conversation: Conversation(prompt: prompt, response: response))
        }
        return SummaryExample(
            id: id, subreddit: "", title: "", post: try record.text("prompt"), summary: hasCompletion ? try record.text("completion") : "",
            promptFormat: .verbatim)
    }

    /// Decodes an instruction with its optional input, for the Alpaca prompt formats.
    /// - Throws: `RowProblem`.
    static func instruction(_ record: Record, id: String, answer: String) throws -> SummaryExample {
        let input = try record.optionalText("input") ?? ""
        return SummaryExample(
            id: try record.identifier("id") ?? id, subreddit: "", title: input, post: try record.text("instruction"), summary: answer,
            promptFormat: input.isEmpty ? .alpacaWithoutInput : .alpaca)
    }

    /// Creates an example from the prompt and the preferred answer of a comparison.
    init(chosenOf comparison: Comparison) {
        if let conversation = comparison.conversations?[comparison.choice] {
            self.init(id: comparison.id, conversation: conversation)
            return
        }
        self.init(
            id: comparison.id, subreddit: comparison.subreddit, title: comparison.title, post: comparison.post, summary: comparison.chosen,
            promptFormat: comparison.promptFormat)
    }

    /// Removes the answer and keeps only the prompt.
    mutating func forgetAnswer() {
        summary = ""
        conversation?.response = []
    }
}
