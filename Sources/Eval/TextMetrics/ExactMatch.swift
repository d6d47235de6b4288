/// Exact match after normalisation: lower case, ASCII punctuation removed, white space collapsed.
public enum ExactMatch {
    /// 1 if the normalised texts are equal, 0 otherwise.
    public static func score(_ hypothesis: String, reference: String) -> Double {
        normalised(hypothesis) == normalised(reference) ? 1 : 0
    }

    /// The best score over several references; 0 if there are none. As in all text metrics, an empty text matches an empty
    /// reference only, not one that consists of white space or punctuation.
    public static func score(_ hypothesis: String, references: [String]) -> Double {
        references.contains { $0.isEmpty == hypothesis.isEmpty && score(hypothesis, reference: $0) == 1 } ? 1 : 0
    }

    /// The normalised words of `text` as UTF-8 bytes; two texts match if these are equal.
    package static func normalised(_ text: String) -> [[UInt8]] {
        TextRules.whitespaceWords(TextRules.lowercased(text).lazy.filter { !TextRules.isASCIIPunctuation($0) })
    }
}
