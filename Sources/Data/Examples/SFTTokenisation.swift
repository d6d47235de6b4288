/// Settings for tokenising examples for supervised fine-tuning, and prompts for generation.
public struct SFTTokenisation: Codable, Sendable, Equatable {
    /// How an example that is too long is truncated.
    public enum Truncation: String, Codable, Sendable, CaseIterable {
        /// Prompt and target are truncated separately, each from its left, and then concatenated.
        case apart
        /// The original implementation's way: prompt and target are tokenised as one text and truncated from the left
        /// to the sum of the limits, but the number of tokens excluded from the loss is the length of the whole prompt.
        /// If the text is truncated, tokens of the target are therefore excluded too, in the worst case all of them.
        case wholeText
    }

    /// How a post becomes a prompt.
    public var format: PromptFormat
    /// The maximum length of the prompt, in tokens.
    public var maximumSource: Int
    /// The maximum length of the target, in tokens, including the end-of-sequence token (with `wholeText`: excluding
    /// it).
    public var maximumTarget: Int
    /// How an example that is too long is truncated.
    public var truncation: Truncation
    /// How conversational rows are rendered. They are truncated as with `apart`, regardless of `truncation`.
    public var chat: ChatFormat

    /// Creates settings; limits are in tokens.
    public init(
        format: PromptFormat = .tldr, maximumSource: Int = 1024, maximumTarget: Int = 1024,
        truncation: Truncation = .apart, chat: ChatFormat = .none
    ) {
        self.format = format
        self.maximumSource = maximumSource
        self.maximumTarget = maximumTarget
        self.truncation = truncation
        self.chat = chat
    }

    /// Tokenised examples, with counts of those that were changed or dropped.
    public struct Result: Sendable, Equatable {
        /// The remaining examples, in order.
        public var examples: [TokenisedExample] = []
        /// The number of examples dropped because none of their tokens would be trained: the summary is blank or, with
        /// `wholeText`, the prompt fills the limit. A conversation with several trained turns yields one example per
        /// turn.
        public var dropped = 0
        /// The number of examples whose prompt, or whole text, was truncated.
        public var truncatedPrompts = 0
        /// The number of examples whose target was truncated.
        public var truncatedTargets = 0
    }

    /// Tokenises examples for supervised training, in order.
    /// - Throws: `DataError.invalidSetting` for a limit below 1 (target: below 2), `DataError.unsuitableTokenizer`, or
    ///   `DataError.chat`.
    public func tokenise(_ examples: [SummaryExample], with tokenizer: any Tokenizer) throws -> Result {
        try validate()
        let pieces = try TokenPieces(tokenizer)
        var result = Result()
        result.examples.reserveCapacity(examples.count)
        for example in examples { try add(example, pieces, to: &result) }
        return result
    }

    /// Tokenises only the prompts, truncated from the left, for generation.
    /// - Throws: As `tokenise`.
    public func prompts(_ examples: [SummaryExample], with tokenizer: any Tokenizer) throws -> [TokenisedPrompt] {
        try validate()
        let pieces = try TokenPieces(tokenizer)
        return try examples.map { example in
            let (query, tokens) = try prompt(of: example, pieces)
            return TokenisedPrompt(
                id: example.id, tokens: pieces.truncatedFromLeft(tokens, to: maximumSource), query: query,
                reference: example.summary, isTruncated: tokens.count > maximumSource, messages: example.conversation?.prompt)
        }
    }

    /// The prompts of tokenised training examples without their targets. The original implementation uses these prompts
    /// to evaluate and sample from a supervised model. The text of a prompt is decoded from its tokens. Examples
    /// without trained tokens are omitted.
    /// - Parameters:
    ///   - examples: The examples.
    ///   - limit: The maximum length of a prompt in tokens; longer ones are truncated from the left.
    ///   - tokenizer: The tokenizer.
    /// - Throws: As `tokenise`.
    public func recoveredPrompts(
        _ examples: [SummaryExample], limit: Int, with tokenizer: any Tokenizer
    ) throws -> [TokenisedPrompt] {
        try validate()
        let pieces = try TokenPieces(tokenizer)
        return try examples.compactMap { example -> TokenisedPrompt? in
            var result = Result()
            try add(example, pieces, to: &result)
            guard let left = result.examples.last?.prompt else { return nil }
            let tokens = pieces.truncatedFromLeft(left, to: limit)
            return TokenisedPrompt(
                id: example.id, tokens: tokens, query: tokenizer.decode(tokens, skippingSpecialTokens: true),
                reference: example.summary, isTruncated: result.truncatedPrompts > 0 || tokens.count < left.count)
        }
    }

    /// Checks the limits.
    /// - Throws: `DataError.invalidSetting` if `maximumSource` is below 1 or `maximumTarget` is below 2.
    public func validate() throws {
        guard maximumSource >= 1 else {
            throw DataError.invalidSetting("the longest prompt is \(maximumSource) tokens", expected: "at least 1")
        }
        guard maximumTarget >= 2 else {
            throw DataError.invalidSetting("the longest target is \(maximumTarget) tokens", expected: "at least 2")
        }
    }

    /// The text of an example's prompt, and its tokens.
    private func prompt(of example: SummaryExample, _ pieces: TokenPieces) throws -> (text: String, tokens: [Int32]) {
        if let conversation = example.conversation, let template = try chat.template(for: example.id) {
            return try DataError.naming(row: example.id) { try ChatTokens(template: template, pieces: pieces).prompt(conversation) }
        }
        let query = format.prompt(for: example)
        return (query, pieces.opening(query))
    }

    /// Tokenises an example and adds it to the result.
    private func add(_ example: SummaryExample, _ pieces: TokenPieces, to result: inout Result) throws {
        if let conversation = example.conversation, let template = try chat.template(for: example.id) {
            let turns = try DataError.naming(row: example.id) { try ChatTokens(template: template, pieces: pieces).turns(conversation) }
            add(turns.filter { !$0.prompt.isEmpty && !$0.target.isEmpty }, of: example.id, pieces, &result)
            return
        }
        switch truncation {
        case .apart: apart(example, pieces, &result)
        case .wholeText: whole(example, pieces, &result)
        }
    }

    /// Adds the turns of a conversation, each as a separate example.
    private func add(
        _ turns: [(prompt: [Int32], target: [Int32])], of id: String, _ pieces: TokenPieces, _ result: inout Result
    ) {
        if turns.isEmpty { result.dropped += 1 }
        for (index, turn) in turns.enumerated() {
            if turn.prompt.count > maximumSource { result.truncatedPrompts += 1 }
            if turn.target.count > maximumTarget { result.truncatedTargets += 1 }
            result.examples.append(
                TokenisedExample(
                    id: turns.count == 1 ? id : "\(id)#\(index + 1)",
                    prompt: pieces.truncatedFromLeft(turn.prompt, to: maximumSource), target: Array(turn.target.suffix(maximumTarget))))
        }
    }

    /// Adds an example with prompt and target truncated separately.
    private func apart(_ example: SummaryExample, _ pieces: TokenPieces, _ result: inout Result) {
        let summary = RewardText.trimmedStart(example.summary)
        guard !summary.isEmpty else {
            result.dropped += 1
            return
        }
        var (prompt, closed): ([Int32], [Int32])
        if (example.promptFormat ?? format).joinsDirectly {
            let joined = pieces.joined(format.prompt(for: example), [example.summary])
            (prompt, closed) = (joined.prompt, joined.answers[0])
        } else {
            prompt = pieces.opening(format.prompt(for: example))
            closed = pieces.closed(pieces.continuation(summary))
        }
        if prompt.count > maximumSource { result.truncatedPrompts += 1 }
        if closed.count > maximumTarget { result.truncatedTargets += 1 }
        result.examples.append(
            TokenisedExample(
                id: example.id, prompt: pieces.truncatedFromLeft(prompt, to: maximumSource),
                target: closed.suffix(maximumTarget)))
    }

    /// Adds an example truncated as one text.
    private func whole(_ example: SummaryExample, _ pieces: TokenPieces, _ result: inout Result) {
        let limit = maximumSource + maximumTarget
        let prompt = format.prompt(for: example)
        let text = pieces.opening(format.text(of: example))
        let tokens = pieces.closed(pieces.truncatedFromLeft(text, to: limit))
        let untrained = min(pieces.opening(prompt).count, limit)
        if text.count > limit { result.truncatedPrompts += 1 }
        guard untrained < tokens.count else {
            result.dropped += 1
            return
        }
        result.examples.append(
            TokenisedExample(
                id: example.id, prompt: Array(tokens[..<untrained]), target: Array(tokens[untrained...])))
    }
}
