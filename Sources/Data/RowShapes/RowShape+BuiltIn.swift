import Formats

extension RowShape {
    /// The built-in shapes, in the order in which they are tried.
    public static let builtIn = [
        posts, comparisons, conversations, messages, unpaired, promptCompletion, alpacaPreference, alpaca, hh, hhMessages, ultrafeedback,
        preference, prompt,
    ]

    // MARK: Published sets

    /// Posts or news with summaries, in the form of the published sets.
    public static let posts = RowShape(
        "posts", columns: "subreddit, title, post and summary, or article and highlights", isPublished: true,
        example: { try SummaryExample($0, defaultID: $1) }
    ) { try $0.has("post") || $0.has("article") || $0.has("conversation") }

    /// Two summaries of a post, in the form of the published sets.
    public static let comparisons = RowShape(
        "comparisons", columns: "info, summaries and choice", isPublished: true, comparison: { try Comparison($0, defaultID: $1) }
    ) { try $0.has("choice") }

    // MARK: Instructions and answers

    /// A conversation of which every assistant turn is trained.
    public static let messages = RowShape(
        "messages", columns: "messages (a list of objects with role and content)", example: { try SummaryExample($0, defaultID: $1) }
    ) { try $0.holdsList("messages") }

    /// A conversation whose messages have `from` and `value`, and of which every assistant turn is trained.
    public static let conversations = RowShape(
        "conversations", columns: "conversations (a list of objects with from and value)",
        example: { record, id in
            let messages = try Conversation.messages("conversations", of: record, names: .fromValue)
            return SummaryExample(id: try record.identifier("id") ?? id, conversation: Conversation(messages: messages))
        }
    ) { try $0.holdsList("conversations") && !$0.holdsList("messages") }

    /// A prompt and its completion, as texts or as messages.
    public static let promptCompletion = RowShape(
        "prompt-completion", columns: "prompt and completion (both strings or both lists of messages)",
        example: { try SummaryExample.answered($0, id: $1) }
    ) { try $0.has("prompt") && $0.has("completion") }

    /// A prompt without a completion, as a text or as messages.
    public static let prompt = RowShape(
        "prompt", columns: "prompt (a string or a list of messages)", example: { try SummaryExample.answered($0, id: $1) }
    ) { try $0.has("prompt") && !$0.has("completion") }

    /// An instruction, an optional input, and an answer.
    public static let alpaca = RowShape(
        "alpaca", columns: "instruction and output; input is optional",
        example: { record, id in
            let output = try record.optionalText("output") ?? ""
            return try SummaryExample.instruction(record, id: id, answer: output)
        }
    ) { try $0.has("instruction") && !$0.names("output_1") }

    // MARK: Preferences

    /// A prompt and two answers, as texts or as messages. Without a prompt, what both answers begin with is the prompt.
    public static let preference = RowShape(
        "preference", columns: "chosen and rejected (both strings or both lists of messages); prompt is optional",
        example: { SummaryExample(chosenOf: try Comparison.preference($0, id: $1)) }, comparison: { try Comparison.preference($0, id: $1) }
    ) { try $0.has("chosen") && $0.has("rejected") }

    /// Two conversations as messages, with a prompt that is a text.
    public static let ultrafeedback = RowShape(
        "ultrafeedback", columns: "prompt (a string), chosen and rejected (lists of messages)",
        example: { SummaryExample(chosenOf: try Comparison.preference($0, id: $1)) }, comparison: { try Comparison.preference($0, id: $1) }
    ) { try $0.holdsList("chosen") && $0.holdsList("rejected") && $0.has("prompt") && !$0.holdsList("prompt") }

    /// A prompt, an answer, and whether the answer is desirable.
    public static let unpaired = RowShape(
        "unpaired", columns: "prompt, completion and label (true or false)",
        example: { record, id in
            // an undesirable answer must not be learned, so the example keeps only the prompt
            var example = try SummaryExample.answered(record, id: id)
            if try !record.boolean("label") { example.forgetAnswer() }
            return example
        },
        comparison: { record, id in
            Comparison(of: try SummaryExample.answered(record, id: id), isWanted: try record.boolean("label"))
        }
    ) { try $0.has("prompt") && $0.has("completion") && $0.has("label") }

    /// An instruction and two answers, with the number of the preferred one.
    public static let alpacaPreference = RowShape(
        "alpaca-preference", columns: "instruction, output_1, output_2 and preference (1 or 2); input is optional",
        example: { SummaryExample(chosenOf: try Comparison.alpaca($0, id: $1)) }, comparison: { try Comparison.alpaca($0, id: $1) }
    ) { try $0.has("instruction") && $0.names("output_1") && $0.names("output_2") }

    /// Two dialogues between a human and an assistant, as texts.
    public static let hh = RowShape(
        "hh", columns: "chosen and rejected (dialogues with \"Human:\" and \"Assistant:\" turns, each after an empty line)",
        example: { SummaryExample(chosenOf: try Comparison.dialogues($0, id: $1)) }, comparison: { try Comparison.dialogues($0, id: $1) },
        fits: Dialogue.holdsTwo)

    /// The same dialogues as `hh`, converted to messages for models with a chat template. Used only if selected by
    /// name.
    public static let hhMessages = RowShape(
        "hh-messages", columns: "chosen and rejected (dialogues with \"Human:\" and \"Assistant:\" turns, each after an empty line)",
        isChosenByName: true,
        example: { SummaryExample(chosenOf: try Comparison.dialogueMessages($0, id: $1)) },
        comparison: { try Comparison.dialogueMessages($0, id: $1) }, fits: Dialogue.holdsTwo)
}
