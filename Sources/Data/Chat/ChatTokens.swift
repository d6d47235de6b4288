import Formats

/// How conversations become tokens to train on, or prompts to continue.
struct ChatTokens {
    let template: ChatTemplate
    let pieces: TokenPieces

    /// A text as the template has made it: what begins a sequence stands in it already.
    private func ids(_ text: String) -> [Int32] { pieces.tokenizer.encode(text, addingSpecialTokens: false) }

    /// The tokens, if there are any.
    private func filled(_ tokens: [Int32]) throws -> [Int32] {
        guard !tokens.isEmpty else { throw template.fault("the conversation is rendered to a text without tokens") }
        return tokens
    }

    /// The text and tokens of what a model answers.
    func prompt(_ conversation: Conversation) throws -> (text: String, tokens: [Int32]) {
        let goesOn = conversation.prompt.last.map(Conversation.isAssistant) ?? false
        let text = try template.render(conversation.prompt, addGenerationPrompt: !goesOn, continueFinalMessage: goesOn).text
        let tokens = ids(text)
        guard !tokens.isEmpty else { throw template.fault("the prompt is rendered to a text without tokens") }
        return (text, tokens)
    }

    /// What is trained of a conversation: each turn of the assistant behind all that stands before it.
    /// - Throws: `DataError.chat`, also where the template does not let the turns be told from the rest.
    func turns(_ conversation: Conversation) throws -> [(prompt: [Int32], target: [Int32])] {
        try template.marksGenerations ? marked(conversation) : rendered(conversation)
    }

    // MARK: By {% generation %}

    private func marked(_ conversation: Conversation) throws -> [(prompt: [Int32], target: [Int32])] {
        let rendering = try template.render(conversation.messages)
        var spans = rendering.generations
        if !conversation.learnsEveryTurn {
            let turns = conversation.messages.count(where: Conversation.isAssistant)
            guard spans.count == turns else {
                throw template.fault(
                    "\(spans.count) {% generation %} blocks for \(turns) turns of the assistant, so those of the completion are not known")
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

    /// The tokens of ranges of a text for a tokenizer that changes texts, so that it cannot say where its tokens stand: those that differ
    /// from the tokens of the text up to a range, up to those of the text with it.
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

    // MARK: By the texts of what stands before

    private func rendered(_ conversation: Conversation) throws -> [(prompt: [Int32], target: [Int32])] {
        let messages = conversation.messages
        let first = conversation.learnsEveryTurn ? 0 : conversation.prompt.count
        return try messages.indices.filter { $0 >= first && Conversation.isAssistant(messages[$0]) }
            .map { try turn($0, of: messages) }
    }

    /// One turn: the text up to it with the generation prompt, and what the text with it has more.
    func turn(_ index: Int, of messages: [JSONValue]) throws -> (prompt: [Int32], target: [Int32]) {
        guard index > 0 else { throw template.fault("a conversation that begins with the assistant has nothing to answer") }
        let before = try template.render(Array(messages[..<index]), addGenerationPrompt: true).text
        let whole = try template.render(Array(messages[...index])).text
        guard whole.utf8.starts(with: before.utf8) else {
            throw template.fault(
                "the text of a conversation does not begin with that of the messages before its answer, so the answer's tokens are not known; "
                    + "give a template with {% generation %} blocks by --chat-template FILE")
        }
        let (opening, all) = (ids(before), try filled(ids(whole)))
        // the last token of the prompt may be another one once the answer follows
        let shared = zip(opening, all).prefix { $0 == $1 }.count
        return (Array(all[..<shared]), Array(all[shared...]))
    }

    // MARK: Comparisons

    /// The tokens that both sides of a comparison begin with, and those of each side up to its end of sequence. Of one answer with a label, which
    /// both sides are, the prompt is what the conversation has in common with its prompt alone.
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
        // neither side is empty
        shared = min(shared, first.count - 1, second.count - 1)
        return (Array(first[..<shared]), texts.map { Array($0[shared...]) })
    }

    /// A conversation that ends where a model ends its response: without the white space that a template puts behind the end of sequence,
    /// and with an end of sequence in any case.
    private func closed(_ tokens: [Int32]) -> [Int32] {
        if let end = tokens.lastIndex(of: pieces.endOfSequence),
            pieces.tokenizer.decode(Array(tokens[(end + 1)...]), skippingSpecialTokens: false).allSatisfy(\.isWhitespace)
        {
            return Array(tokens[...end])
        }
        return pieces.closed(tokens)
    }
}
