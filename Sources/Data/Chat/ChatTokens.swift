import Formats

/// Tokenises conversations for training, and as prompts for generation.
struct ChatTokens {
    let template: ChatTemplate
    let pieces: TokenPieces

    /// The token IDs of a rendered text. No special tokens are added, because the template has already written them.
    private func ids(_ text: String) -> [Int32] { pieces.tokenizer.encode(text, addingSpecialTokens: false) }

    /// The tokens, if there are any.
    /// - Throws: `DataError.chat` if there are none.
    private func filled(_ tokens: [Int32]) throws -> [Int32] {
        guard !tokens.isEmpty else { throw template.fault("the rendered conversation has no tokens") }
        return tokens
    }

    /// The prompt of a conversation as text and tokens. If its last message is the assistant's, the model continues
    /// that message; otherwise the prompt ends with the generation prompt.
    func prompt(_ conversation: Conversation) throws -> (text: String, tokens: [Int32]) {
        let goesOn = conversation.prompt.last.map(Conversation.isAssistant) ?? false
        let text = try template.render(conversation.prompt, addGenerationPrompt: !goesOn, continueFinalMessage: goesOn).text
        let tokens = ids(text)
        guard !tokens.isEmpty else { throw template.fault("the rendered prompt has no tokens") }
        return (text, tokens)
    }

    /// The training examples in a conversation: each trained turn of the assistant, with all tokens before it as the
    /// prompt.
    /// - Throws: `DataError.chat`, for example if the rendered text does not show where the turns begin and end.
    func turns(_ conversation: Conversation) throws -> [(prompt: [Int32], target: [Int32])] {
        try template.marksGenerations ? marked(conversation) : rendered(conversation)
    }

    // MARK: Templates with {% generation %}

    /// The turns in `{% generation %}` blocks.
    private func marked(_ conversation: Conversation) throws -> [(prompt: [Int32], target: [Int32])] {
        let rendering = try template.render(conversation.messages)
        var spans = rendering.generations
        if !conversation.learnsEveryTurn {
            let turns = conversation.messages.count(where: Conversation.isAssistant)
            guard spans.count == turns else {
                throw template.fault(
                    "the template renders \(spans.count) {% generation %} blocks for \(turns) assistant turns; expected one per turn")
            }
            spans = spans.suffix(conversation.response.count(where: Conversation.isAssistant))
        }
        let tokens = try filled(ids(rendering.text))
        let mask =
            pieces.tokenizer.trainedTokens(of: tokens, text: rendering.text, in: spans)
            ?? overlapping(tokens, rendering.text, spans)
        var turns: [(prompt: [Int32], target: [Int32])] = []
        var start = 0
        while let first = mask[start...].firstIndex(of: true) {
            let end = mask[first...].firstIndex(of: false) ?? mask.count
            turns.append((Array(tokens[..<first]), Array(tokens[first..<end])))
            start = end
        }
        return turns
    }

    /// Which tokens lie in ranges of a text, for a tokenizer that normalises text and so has no token offsets. A range
    /// covers the tokens after those shared with the tokens of the text up to its start, and up to those shared with
    /// the tokens of the text up to its end.
    private func overlapping(_ tokens: [Int32], _ text: String, _ spans: [Range<Int>]) -> [Bool] {
        let scalars = Array(text.unicodeScalars)
        func count(upTo end: Int, isEnd: Bool) -> Int {
            let part = ids(JinjaTemplate.text(scalars[..<min(end, scalars.count)]))
            let shared = zip(part, tokens).prefix { $0 == $1 }.count
            return isEnd && shared < part.count ? min(shared + 1, tokens.count) : shared
        }
        var mask = [Bool](repeating: false, count: tokens.count)
        for span in spans {
            let start = count(upTo: span.lowerBound, isEnd: false)
            for index in start..<max(start, count(upTo: span.upperBound, isEnd: true)) { mask[index] = true }
        }
        return mask
    }

    // MARK: Templates without {% generation %}

    /// The turns found by rendering the conversation before and after each one.
    private func rendered(_ conversation: Conversation) throws -> [(prompt: [Int32], target: [Int32])] {
        let messages = conversation.messages
        let first = conversation.learnsEveryTurn ? 0 : conversation.prompt.count
        return try messages.indices.filter { $0 >= first && Conversation.isAssistant(messages[$0]) }
            .map { try turn($0, of: messages) }
    }

    /// One turn of the assistant. The prompt is the text before the turn plus the generation prompt; the target is what
    /// the text with the turn adds to it.
    func turn(_ index: Int, of messages: [JSONValue]) throws -> (prompt: [Int32], target: [Int32]) {
        guard index > 0 else { throw template.fault("the conversation begins with an assistant message; expected a prompt before it") }
        let before = try template.render(Array(messages[..<index]), addGenerationPrompt: true).text
        let whole = try template.render(Array(messages[...index])).text
        guard whole.utf8.starts(with: before.utf8) else {
            throw template.fault(
                "the rendered conversation does not begin with the rendered prompt, so the answer's tokens cannot be found; "
                    + "pass a template with {% generation %} blocks with --chat-template FILE")
        }
        let (opening, all) = (ids(before), try filled(ids(whole)))
        // the prompt's last token may change once the answer follows it
        let shared = zip(opening, all).prefix { $0 == $1 }.count
        return (Array(all[..<shared]), Array(all[shared...]))
    }

    // MARK: Comparisons

    /// The tokens of both responses of a comparison: the prefix that they share, and the rest of each up to and
    /// including its end-of-sequence token. For a single labelled answer (`isSingle`) both sides are the same
    /// conversation, so the prefix is what it shares with its rendered prompt.
    func sides(_ conversations: [Conversation], isSingle: Bool = false) throws -> (prompt: [Int32], responses: [[Int32]]) {
        if isSingle, let conversation = conversations.first {
            let whole = try closed(filled(ids(template.render(conversation.messages).text)))
            let opening = try ids(template.render(conversation.prompt, addGenerationPrompt: true).text)
            let shared = min(zip(opening, whole).prefix { $0 == $1 }.count, whole.count - 1)
            return (Array(whole[..<shared]), conversations.map { _ in Array(whole[shared...]) })
        }
        let texts = try conversations.map { try closed(filled(ids(template.render($0.messages).text))) }
        guard let first = texts.first, let second = texts.last else { return ([], []) }
        var shared = zip(first, second).prefix { $0 == $1 }.count
        // leave at least one token on each side
        shared = min(shared, first.count - 1, second.count - 1)
        return (Array(first[..<shared]), texts.map { Array($0[shared...]) })
    }

    /// Ends the tokens as a model ends its response: removes white space that the template writes after the
    /// end-of-sequence token, and appends that token if it is missing.
    private func closed(_ tokens: [Int32]) -> [Int32] {
        if let end = tokens.lastIndex(of: pieces.endOfSequence),
            pieces.tokenizer.decode(Array(tokens[(end + 1)...]), skippingSpecialTokens: false).allSatisfy(\.isWhitespace)
        {
            return Array(tokens[...end])
        }
        return pieces.closed(tokens)
    }
}
