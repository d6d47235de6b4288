import Foundation

/// Perplexity: `exp` of the mean negative log-likelihood per token, in nats.
public enum Perplexity {
    /// The perplexity of a corpus, every token counting alike: `exp(Σ nll / Σ tokens)`.
    ///
    /// - Parameters:
    ///   - negativeLogLikelihoods: the sum of −log p over the tokens of each text, in nats.
    ///   - tokens: the number of tokens of each text.
    /// - Returns: nil if there is no token.
    public static func ofCorpus(negativeLogLikelihoods: [Double], tokens: [Int]) -> Double? {
        precondition(
            negativeLogLikelihoods.count == tokens.count,
            "\(negativeLogLikelihoods.count) likelihoods but \(tokens.count) token counts")
        let count = tokens.reduce(0, +)
        return count > 0 ? exp(negativeLogLikelihoods.reduce(0, +) / Double(count)) : nil
    }

    /// The perplexity of one text from the log-probability of each of its tokens; nil if it has none.
    public static func ofText(logProbs: [Double]) -> Double? {
        logProbs.isEmpty ? nil : exp(-logProbs.reduce(0, +) / Double(logProbs.count))
    }
}
