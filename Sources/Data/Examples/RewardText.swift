/// The text that a reward model scores: prompt, space, summary, end-of-sequence string.
///
/// The published comparisons begin each summary with a space, reference summaries do not, and decoders may keep or drop
/// a leading space. Without normalisation, a reward model would be trained and used with different texts for the same
/// summary. `canonical` therefore puts exactly one space between prompt and summary wherever a summary is scored.
public enum RewardText: String, Codable, Sendable, CaseIterable {
    /// Exactly one space between prompt and summary. White space at the end of the prompt and the start of the summary
    /// is removed.
    case canonical
    /// The original implementation's text: the prompt, one space, and the summary unchanged.
    case raw

    /// The text to score.
    /// - Parameters:
    ///   - prompt: The prompt.
    ///   - summary: The summary.
    ///   - endOfSequence: The string of the end-of-sequence token; empty if the token is added as an ID.
    public func text(prompt: String, summary: String, endOfSequence: String = "") -> String {
        switch self {
        case .canonical: Self.trimmedEnd(prompt) + " " + Self.trimmedStart(summary) + endOfSequence
        case .raw: prompt + " " + summary + endOfSequence
        }
    }

    /// The text without white space at its start.
    static func trimmedStart(_ text: String) -> String {
        String(text.unicodeScalars.drop { $0.properties.isWhitespace })
    }

    /// The text without white space at its end.
    private static func trimmedEnd(_ text: String) -> String {
        var scalars = text.unicodeScalars[...]
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}
