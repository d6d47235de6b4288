/// The text that a reward model reads: prompt, space, summary, end-of-sequence string.
///
/// The published comparisons begin each summary with a space, references do not, and decoders keep or drop a leading
/// space; a reward model trained on one and asked about another would see different texts for the same summary.
/// `canonical` therefore puts exactly one space between prompt and summary wherever a summary is scored.
public enum RewardText: String, Codable, Sendable, CaseIterable {
    /// Exactly one space between prompt and summary, whatever whitespace either brought.
    case canonical
    /// The original's text: prompt, one space, the summary as it is.
    case raw

    /// The text to score.
    /// - Parameter endOfSequence: The string of the end-of-sequence token, or empty where it is added as an id.
    public func text(prompt: String, summary: String, endOfSequence: String = "") -> String {
        switch self {
        case .canonical: Self.trimmedEnd(prompt) + " " + Self.trimmedStart(summary) + endOfSequence
        case .raw: prompt + " " + summary + endOfSequence
        }
    }

    static func trimmedStart(_ text: String) -> String {
        String(text.unicodeScalars.drop { $0.properties.isWhitespace })
    }

    private static func trimmedEnd(_ text: String) -> String {
        var scalars = text.unicodeScalars[...]
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}
