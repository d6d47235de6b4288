/// Token-level operations shared by all training stages.
struct TokenPieces {
    let tokenizer: any Tokenizer
    let endOfSequence: Int32

    /// Creates the operations for a tokenizer.
    /// - Throws: `DataError.unsuitableTokenizer` if the tokenizer has no end-of-sequence token.
    init(_ tokenizer: any Tokenizer) throws {
        guard let end = tokenizer.endOfSequence else {
            throw DataError.unsuitableTokenizer("it defines no end-of-sequence token, which must end every target")
        }
        self.tokenizer = tokenizer
        endOfSequence = end
    }

    init(_ tokenizer: any Tokenizer, endOfSequence: Int32) {
        self.tokenizer = tokenizer
        self.endOfSequence = endOfSequence
    }

    /// The tokens of a text at the start of a sequence, with the special tokens that the tokenizer adds before it.
    /// Special tokens that it adds after a text are omitted, because something follows.
    func opening(_ text: String) -> [Int32] {
        tokenizer.encodeOpening(text)
    }

    /// Like `opening`, for a text that may already contain its beginning-of-sequence token, as one rendered by a chat
    /// template does: the token is not repeated.
    func openingOfRendered(_ text: String) -> [Int32] {
        var tokens = opening(text)
        if let begin = tokenizer.beginOfSequence, tokens.starts(with: [begin, begin]) { tokens.removeFirst() }
        return tokens
    }

    /// The tokens with an end-of-sequence token at their end, which is not added if it is already there.
    func closed(_ tokens: [Int32]) -> [Int32] {
        tokens.last == endOfSequence ? tokens : tokens + [endOfSequence]
    }

    /// The tokens of one space and `text` after a prompt.
    ///
    /// SentencePiece tokenizers put a space before every text, which would double a leading space. The text is
    /// therefore encoded after an anchor (`:`, the last character of the published prompts), whose tokens are then
    /// removed.
    func continuation(_ text: String) -> [Int32] {
        let anchor = tokenizer.encode(":", addingSpecialTokens: false)
        let anchored = tokenizer.encode(": " + text, addingSpecialTokens: false)
        guard anchored.starts(with: anchor) else { return tokenizer.encode(" " + text, addingSpecialTokens: false) }
        return Array(anchored.dropFirst(anchor.count))
    }

    /// The tokens of a prompt and of answers that directly follow it. If the last token of the prompt changes when an
    /// answer follows, it counts as part of the answers.
    func joined(_ prompt: String, _ answers: [String]) -> (prompt: [Int32], answers: [[Int32]]) {
        let opening = opening(prompt)
        let texts = answers.map { self.opening(prompt + $0) }
        let shared = texts.map { zip(opening, $0).prefix { $0 == $1 }.count }.min() ?? opening.count
        return (Array(opening[..<shared]), texts.map { closed(Array($0[shared...])) })
    }

    /// The last `limit` tokens. A beginning-of-sequence token at the start is kept and counts towards the limit.
    func truncatedFromLeft(_ tokens: [Int32], to limit: Int) -> [Int32] {
        guard tokens.count > limit else { return tokens }
        guard let begin = tokenizer.beginOfSequence, tokens.first == begin, limit > 0 else {
            return Array(tokens.suffix(limit))
        }
        return [begin] + tokens.suffix(limit - 1)
    }
}
