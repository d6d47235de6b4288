/// Equality after normalisation: lower case, without ASCII punctuation, white space collapsed.
public enum ExactMatch {
    /// 1 if the normalised texts are equal, else 0.
    public static func score(_ hypothesis: String, reference: String) -> Double {
        normalised(hypothesis) == normalised(reference) ? 1 : 0
    }

    /// The best score over several references; 0 if there is none. As in all text metrics, an empty text matches an empty reference only,
    /// and not one of nothing but white space or punctuation.
    public static func score(_ hypothesis: String, references: [String]) -> Double {
        references.contains { $0.isEmpty == hypothesis.isEmpty && score(hypothesis, reference: $0) == 1 } ? 1 : 0
    }

    /// The normalised words of `text` as UTF-8 bytes: two texts match when these are equal.
    package static func normalised(_ text: String) -> [[UInt8]] {
        TextRules.whitespaceWords(TextRules.lowercased(text).lazy.filter { !TextRules.isASCIIPunctuation($0) })
    }
}
