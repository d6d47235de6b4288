/// Settings for tokenising comparisons for a reward model.
public struct RewardTokenisation: Codable, Sendable, Equatable {
    /// How a post becomes a prompt.
    public var format: PromptFormat
    /// The text to score. `canonical` puts one space before each summary and tokenises prompt and summaries separately,
    /// so that both sides share the prompt's tokens. `raw` tokenises each side as one text, including the
    /// end-of-sequence string.
    public var text: RewardText
    /// The maximum length of a side (prompt and summary) in tokens, at least 2. Longer sides are truncated from the
    /// left. The original implementation has no limit for LLaMA.
    public var maximumTokens: Int
    /// How conversational rows are rendered.
    public var chat: ChatFormat

    /// Creates settings. ``tokenise(_:with:)`` throws if `maximumTokens` is below 2.
    public init(format: PromptFormat = .tldr, text: RewardText = .canonical, maximumTokens: Int = 2048, chat: ChatFormat = .none) {
        self.format = format
        self.text = text
        self.maximumTokens = maximumTokens
        self.chat = chat
    }

    /// Tokenises comparisons, in order.
    /// - Returns: The tokenised comparisons, and how many of them were truncated.
    /// - Throws: `DataError.invalidSetting` if `maximumTokens` is below 2, `DataError.unsuitableTokenizer`, or
    ///   `DataError.chat`.
    public func tokenise(
        _ comparisons: [Comparison], with tokenizer: any Tokenizer
    ) throws -> (comparisons: [TokenisedComparison], truncated: Int) {
        guard maximumTokens >= 2 else {
            throw DataError.invalidSetting("the longest side is \(maximumTokens) tokens", expected: "at least 2")
        }
        let pieces = try TokenPieces(tokenizer)
        var truncated = 0
        let tokens = try comparisons.map { comparison in
            let (prompt, summaries, isCut) =
                if let tokens = comparison.summaryTokens {
                    sampled(comparison, tokens, pieces)
                } else if let conversations = comparison.conversations, let template = try chat.template(for: comparison.id) {
                    try conversational(comparison.id, conversations, template, pieces, isSingle: comparison.isSingle)
                } else if (comparison.promptFormat ?? format).joinsDirectly {
                    direct(comparison, pieces)
                } else {
                    switch text {
                    case .canonical: canonical(comparison, pieces)
                    case .raw: raw(comparison, pieces)
                    }
                }
            if isCut { truncated += 1 }
            var result = TokenisedComparison(
                id: comparison.id, prompt: prompt, summaries: summaries, choice: comparison.choice, weight: comparison.weight)
            result.isSingle = comparison.isSingle
            return result
        }
        return (tokens, truncated)
    }

    /// Tokenises a prompt and a summary for scoring in the form `canonical`: prompt, one space, summary,
    /// end-of-sequence token. Truncated from the left to `maximumTokens`.
    public func tokens(
        prompt: String, summary: String, with tokenizer: any Tokenizer, endOfSequence: Int32
    ) -> [Int32] {
        let pieces = TokenPieces(tokenizer, endOfSequence: endOfSequence)
        let answer = pieces.closed(pieces.continuation(RewardText.trimmedStart(summary)))
        let opening = pieces.truncatedFromLeft(pieces.openingOfRendered(prompt), to: max(0, maximumTokens - answer.count))
        return opening + answer.suffix(maximumTokens)
    }

    private typealias Sides = (prompt: [Int32], summaries: [[Int32]], isCut: Bool)

    /// Tokenises prompt and summaries separately, with one space between.
    private func canonical(_ comparison: Comparison, _ pieces: TokenPieces) -> Sides {
        let prompt = pieces.opening(format.prompt(for: comparison))
        let summaries = comparison.summaries.map { summary in
            pieces.closed(pieces.continuation(RewardText.trimmedStart(summary)))
        }
        return cut(prompt, summaries, pieces)
    }

    /// Tokenises summaries that directly follow the prompt.
    private func direct(_ comparison: Comparison, _ pieces: TokenPieces) -> Sides {
        let (prompt, answers) = pieces.joined(format.prompt(for: comparison), comparison.summaries)
        return cut(prompt, answers, pieces)
    }

    /// Combines the prompt with known tokens of the summaries.
    private func sampled(_ comparison: Comparison, _ summaries: [[Int32]], _ pieces: TokenPieces) -> Sides {
        cut(pieces.openingOfRendered(format.prompt(for: comparison)), summaries, pieces)
    }

    /// Tokenises two conversations rendered by a chat template.
    private func conversational(
        _ id: String, _ conversations: [Conversation], _ template: ChatTemplate, _ pieces: TokenPieces, isSingle: Bool
    ) throws -> Sides {
        let (prompt, responses) = try DataError.naming(row: id) {
            try ChatTokens(template: template, pieces: pieces).sides(conversations, isSingle: isSingle)
        }
        return cut(prompt, responses, pieces)
    }

    /// Truncates both sides from the left to the limit. The prompt is truncated alike for both, to the room that the
    /// longer summary leaves.
    private func cut(_ prompt: [Int32], _ summaries: [[Int32]], _ pieces: TokenPieces) -> Sides {
        let longest = summaries.map(\.count).max() ?? 0
        let room = max(0, maximumTokens - longest)
        return (
            pieces.truncatedFromLeft(prompt, to: room), summaries.map { Array($0.suffix(maximumTokens)) },
            prompt.count + longest > maximumTokens
        )
    }

    /// Tokenises each side as one text; the tokens that both share become the prompt.
    private func raw(_ comparison: Comparison, _ pieces: TokenPieces) -> Sides {
        let end = pieces.tokenizer.decode([pieces.endOfSequence], skippingSpecialTokens: false)
        let texts = comparison.summaries.map { summary in
            pieces.opening(
                text.text(prompt: format.prompt(for: comparison), summary: summary, endOfSequence: end))
        }
        let sides = texts.map { pieces.truncatedFromLeft($0, to: maximumTokens) }
        var shared = 0
        while shared + 1 < min(sides[0].count, sides[1].count), sides[0][shared] == sides[1][shared] { shared += 1 }
        return (
            Array(sides[0][..<shared]), sides.map { Array($0[shared...]) }, texts.contains { $0.count > maximumTokens }
        )
    }
}
