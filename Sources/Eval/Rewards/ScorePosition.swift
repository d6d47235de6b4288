/// Where in a text a reward model's score is read.
public enum ScorePosition: Codable, Sendable, Equatable {
    /// At the last token, the end of the sequence.
    case lastToken
    /// The original's way: at (number of ids other than padding) − 1. Where the padding id is the end of sequence, as with LLaMA, that is
    /// one token before the end.
    case paddingCount(padding: Int32)

    /// The index in a text's tokens. A text of padding alone is read at its first token.
    public func index(in tokens: [Int32]) -> Int {
        switch self {
        case .lastToken: tokens.count - 1
        case .paddingCount(let padding): max(0, tokens.count { $0 != padding } - 1)
        }
    }
}
