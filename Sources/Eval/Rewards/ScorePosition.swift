/// The position in a text at which a reward model's score is read.
public enum ScorePosition: Codable, Sendable, Equatable {
    /// The last token, that is, the end-of-sequence token.
    case lastToken
    /// The position of the published code: (number of IDs other than padding) − 1. If the padding ID is the end-of-sequence
    /// token, as with LLaMA, this is the token before the last one.
    case paddingCount(padding: Int32)

    /// The index of the position in a text's tokens. A text of padding only is read at its first token.
    public func index(in tokens: [Int32]) -> Int {
        switch self {
        case .lastToken: tokens.count - 1
        case .paddingCount(let padding): max(0, tokens.count { $0 != padding } - 1)
        }
    }
}
