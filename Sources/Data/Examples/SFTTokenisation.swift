/// How summarisation examples become tokens to train on, or prompts to continue.
public struct SFTTokenisation: Codable, Sendable, Equatable {
    /// Which tokens go when an example is too long.
    public enum Truncation: String, Codable, Sendable, CaseIterable {
        /// Prompt and target are cut apart, each from its left; their tokens are then joined.
        case apart
        /// The original's way: prompt and target are tokenised as one text and cut from the left to the sum of the
        /// limits, while the number of untrained tokens is that of the prompt alone. When the cut bites, tokens of the
        /// target go untrained too, in the worst case all of them.
        case wholeText
    }

    /// How a post becomes a prompt.
    public var format: PromptFormat
    /// The longest prompt, in tokens.
    public var maximumSource: Int
    /// The longest target, in tokens, the end of sequence included (with `wholeText`: without it).
    public var maximumTarget: Int
    /// Which tokens go when an example is too long.
    public var truncation: Truncation
    /// What becomes of conversational rows. They are cut apart whatever `truncation` says.
    public var chat: ChatFormat

    /// Settings; limits are in tokens.
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

    /// Examples in tokens, and what happened to them on the way.
    public struct Result: Sendable, Equatable {
        /// The examples that are left, in order.
        public var examples: [TokenisedExample] = []
        /// Examples left out because no token of theirs would be trained: a blank summary, or (with `wholeText`) a
        /// prompt as long as the limit. Of a conversation with several trained turns each is an example.
        public var dropped = 0
        /// Examples whose prompt, or whole text, was cut.
        public var truncatedPrompts = 0
        /// Examples whose target was cut.
        public var truncatedTargets = 0
    }

    /// Tokenises examples for supervised training, in order.
    /// - Throws: `DataError.invalidSetting` for limits below 1 (target: 2), `DataError.unsuitableTokenizer`, `DataError.chat`.
    public func tokenise(_ examples: [SummaryExample], with tokenizer: any Tokenizer) throws -> Result {
        try validate()
        let pieces = try TokenPieces(tokenizer)
        var result = Result()
        result.examples.reserveCapacity(examples.count)
        for example in examples { try add(example, pieces, to: &result) }
        return result
    }

    /// Tokenises the prompts alone, cut from the left, for generation.
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

    /// The prompts that are left in examples for supervised training when their targets are taken away: what the original continues
    /// where it evaluates or samples from a supervised model. Their texts are what the tokens decode to. An example without a trained token
    /// has no prompt.
    /// - Parameter limit: The longest prompt, in tokens; longer ones are cut from the left.
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

    /// - Throws: `DataError.invalidSetting`.
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

    /// Adds the turns of a conversation, each an example of its own.
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
