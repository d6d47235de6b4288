/// The token-level steps that all stages share.
struct TokenPieces {
    let tokenizer: any Tokenizer
    let endOfSequence: Int32

    /// - Throws: `DataError.unsuitableTokenizer` if the tokenizer has no end of sequence.
    init(_ tokenizer: any Tokenizer) throws {
        guard let end = tokenizer.endOfSequence else {
            throw DataError.unsuitableTokenizer("it names no end-of-sequence token, which every target ends with")
        }
        self.tokenizer = tokenizer
        endOfSequence = end
    }

    init(_ tokenizer: any Tokenizer, endOfSequence: Int32) {
        self.tokenizer = tokenizer
        self.endOfSequence = endOfSequence
    }

    /// A text as a model reads it from its start, with the special tokens that the tokenizer puts in front. Something follows it, so an
    /// end of sequence that the tokenizer puts behind every text is left out.
    func opening(_ text: String) -> [Int32] {
        tokenizer.encodeOpening(text)
    }

    /// The same of a text that may spell its begin of sequence itself, as one that a chat template made does.
    func openingOfRendered(_ text: String) -> [Int32] {
        var tokens = opening(text)
        if let begin = tokenizer.beginOfSequence, tokens.starts(with: [begin, begin]) { tokens.removeFirst() }
        return tokens
    }

    /// Tokens with one end of sequence: their own, if the text spells it out at its end.
    func closed(_ tokens: [Int32]) -> [Int32] {
        tokens.last == endOfSequence ? tokens : tokens + [endOfSequence]
    }

    /// The tokens of one space and `text` after a prompt.
    ///
    /// Tokenizers of the SentencePiece kind put a space before whatever they read, and would see two before a text
    /// that begins with one. So the text is read behind an anchor, the last character of every prompt, whose tokens
    /// are then taken away.
    func continuation(_ text: String) -> [Int32] {
        let anchor = tokenizer.encode(":", addingSpecialTokens: false)
        let anchored = tokenizer.encode(": " + text, addingSpecialTokens: false)
        guard anchored.starts(with: anchor) else { return tokenizer.encode(" " + text, addingSpecialTokens: false) }
        return Array(anchored.dropFirst(anchor.count))
    }

    /// The tokens of a prompt and of what follows it without anything in between. Where its last token is another one once something follows,
    /// that belongs to what follows.
    func joined(_ prompt: String, _ answers: [String]) -> (prompt: [Int32], answers: [[Int32]]) {
        let opening = opening(prompt)
        let texts = answers.map { self.opening(prompt + $0) }
        let shared = texts.map { zip(opening, $0).prefix { $0 == $1 }.count }.min() ?? opening.count
        return (Array(opening[..<shared]), texts.map { closed(Array($0[shared...])) })
    }

    /// At most `limit` tokens, taken from the end; a beginning-of-sequence token at the start stays there.
    func truncatedFromLeft(_ tokens: [Int32], to limit: Int) -> [Int32] {
        guard tokens.count > limit else { return tokens }
        guard let begin = tokenizer.beginOfSequence, tokens.first == begin, limit > 0 else {
            return Array(tokens.suffix(limit))
        }
        return [begin] + tokens.suffix(limit - 1)
    }
}
