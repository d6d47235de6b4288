public import Data
public import Models
import Tensor

/// The score of a reward model on texts: query and response are tokenised with the reward model's own tokenizer.
///
/// For reward models with a different tokenizer than the policy's, and for reproducing the published code, which always scores
/// texts.
public struct RewardTextReward: RewardFunction {
    /// The reward model.
    public let model: RewardModel
    /// The tokenizer of the reward model.
    public let tokenizer: any Tokenizer
    /// The end-of-sequence token appended to every response.
    public let endOfSequence: Int32
    /// How query and response are joined. `canonical` puts one space between them. `raw` concatenates query, response and the
    /// end-of-sequence string without a separator, as the published code does; what lies between them then depends on the
    /// decoded text.
    public let text: RewardText
    /// The position at which the score is read.
    public let position: ScorePosition
    /// The maximum length of a text in tokens; longer texts are truncated at the beginning.
    public let maximumTokens: Int
    /// The maximum number of tokens per forward pass, which limits memory.
    public let tokensPerPass: Int

    /// A reward; see the properties. `maximumTokens` is limited to the model's context length.
    public init(
        _ model: RewardModel, tokenizer: any Tokenizer, endOfSequence: Int32, text: RewardText = .canonical,
        position: ScorePosition = .lastToken, maximumTokens: Int = 2048, tokensPerPass: Int = 2048
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.endOfSequence = endOfSequence
        self.text = text
        self.position = position
        self.maximumTokens = max(2, min(maximumTokens, model.decoder.shape.contextLength))
        self.tokensPerPass = tokensPerPass
    }

    /// The token IDs that the model processes for a request.
    package func tokens(of request: RewardRequest) -> [Int32] {
        switch text {
        case .canonical:
            return RewardTokenisation(text: .canonical, maximumTokens: maximumTokens)
                .tokens(prompt: request.query, summary: request.response, with: tokenizer, endOfSequence: endOfSequence)
        case .raw:
            let end = tokenizer.decode([endOfSequence], skippingSpecialTokens: false)
            // the text already ends with the end-of-sequence string
            let tokens = tokenizer.encodeOpening(request.query + request.response + end)
            guard tokens.count > maximumTokens else { return tokens }
            guard let begin = tokenizer.beginOfSequence, tokens.first == begin else {
                return Array(tokens.suffix(maximumTokens))
            }
            return [begin] + tokens.suffix(maximumTokens - 1)
        }
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        var scores: [Double] = []
        var part: [[Int32]] = []
        func flush() {
            guard !part.isEmpty else { return }
            let batch = TokenBatch(part)
            let rows = zip(batch.rows, part).map { $0.lowerBound + position.index(in: $1) }
            scores += model.scores(batch, lastRows: rows).values.map(Double.init)
            part = []
        }
        for tokens in Compute.map(requests.count, { tokens(of: requests[$0]) }) {
            if part.reduce(tokens.count, { $0 + $1.count }) > tokensPerPass { flush() }
            part.append(tokens)
        }
        flush()
        return scores
    }
}
