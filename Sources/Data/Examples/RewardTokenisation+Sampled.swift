extension RewardTokenisation {
    /// Comparisons of texts that a model has written, with their tokens.
    ///
    /// The tokens that were drawn serve where they are known and are this tokenizer's: where each list is the text's own. Behind a prompt that a
    /// chat template made, texts follow as they are, with no space of ours; all others are tokenised as any summary.
    /// - Parameter endsAll: whether an end of sequence is added to what was drawn without one.
    /// - Returns: The comparisons, and whether some had tokens that are not this tokenizer's.
    /// - Throws: `DataError.unsuitableTokenizer`.
    public func withTokens(
        _ comparisons: [Comparison], with tokenizer: any Tokenizer, endsAll: Bool
    ) throws -> (comparisons: [Comparison], hasForeignTokens: Bool) {
        let pieces = try TokenPieces(tokenizer)
        let drawn = comparisons.filter { $0.summaryTokens != nil }
        let areOwn = drawn.allSatisfy { comparison in
            zip(comparison.summaryTokens ?? [], comparison.summaries).allSatisfy { tokens, text in
                !tokens.isEmpty && tokens.allSatisfy { (0..<tokenizer.vocabularySize).contains(Int($0)) }
                    && tokenizer.decode(tokens, skippingSpecialTokens: true).utf8.elementsEqual(text.utf8)
            }
        }
        let result = comparisons.map { comparison in
            guard comparison.isSampled else { return comparison }
            var comparison = comparison
            if let tokens = comparison.summaryTokens, areOwn {
                if endsAll { comparison.summaryTokens = tokens.map(pieces.closed) }
            } else if isRendered(comparison, pieces) {
                comparison.summaryTokens = comparison.summaries.map { text in
                    pieces.closed(tokenizer.encode(text, addingSpecialTokens: false))
                }
            } else {
                comparison.summaryTokens = nil
            }
            return comparison
        }
        return (result, !areOwn)
    }

    /// Whether a prompt has special tokens in it that only a chat template can have put there.
    private func isRendered(_ comparison: Comparison, _ pieces: TokenPieces) -> Bool {
        guard case .template = chat else { return false }
        let tokenizer = pieces.tokenizer
        return pieces.openingOfRendered(format.prompt(for: comparison)).dropFirst().contains { token in
            tokenizer.decode([token], skippingSpecialTokens: true).isEmpty
                && !tokenizer.decode([token], skippingSpecialTokens: false).isEmpty
        }
    }
}
