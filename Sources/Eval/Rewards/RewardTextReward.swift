public import Data
public import Models
import Tensor

/// The score of a reward model on texts: query and response are read anew with the reward model's own tokenizer.
///
/// For reward models whose tokenizer is not the policy's, and for the original's numbers, which are always taken so.
public struct RewardTextReward: RewardFunction {
    /// The model.
    public let model: RewardModel
    /// The model's tokenizer.
    public let tokenizer: any Tokenizer
    /// Put behind every response.
    public let endOfSequence: Int32
    /// `canonical` puts one space between query and response. `raw` joins query, response and the end's string as they are: what stands
    /// between them depends on the decoder, as in the original.
    public let text: RewardText
    /// Where the score is read.
    public let position: ScorePosition
    /// Longer texts lose their beginning.
    public let maximumTokens: Int
    /// The most tokens in memory at once.
    public let tokensPerPass: Int

    /// A reward; see the properties.
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

    /// The tokens that the model reads.
    package func tokens(of request: RewardRequest) -> [Int32] {
        switch text {
        case .canonical:
            return RewardTokenisation(text: .canonical, maximumTokens: maximumTokens)
                .tokens(prompt: request.query, summary: request.response, with: tokenizer, endOfSequence: endOfSequence)
        case .raw:
            let end = tokenizer.decode([endOfSequence], skippingSpecialTokens: false)
            // the text has its end already
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
        for tokens in requests.map(tokens(of:)) {
            if part.reduce(tokens.count, { $0 + $1.count }) > tokensPerPass { flush() }
            part.append(tokens)
        }
        flush()
        return scores
    }
}
