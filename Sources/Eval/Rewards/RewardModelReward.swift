public import Models
import Tensor

/// The score of a reward model at the end-of-sequence token of prompt + response + end-of-sequence token, computed on the
/// policy's token IDs.
public struct RewardModelReward: TrunkReadingReward {
    /// The reward model.
    public let model: RewardModel
    /// The end-of-sequence token of the reward model, appended to responses that do not end with it.
    public let endOfSequence: Int32
    /// All tokens with which responses may end.
    public let ends: EndTokens
    /// The number of layers that the reward model and the policy share; 0 if the reward model has to run in full. Trunk states
    /// are used if they were taken after no more layers than this.
    public let sharedTrunkLayers: Int
    /// The maximum number of tokens per forward pass, which limits memory.
    public let tokensPerPass: Int

    /// A reward from a reward model.
    /// - Parameters:
    ///   - model: the reward model.
    ///   - endOfSequence: the token at which the model was trained to score the end of a text.
    ///   - ends: the tokens with which responses may end, if there are several.
    ///   - sharedTrunkLayers: the number of layers that the policy and the reward model share (see `Trunk`).
    ///   - tokensPerPass: the maximum number of tokens per forward pass.
    public init(
        _ model: RewardModel, endOfSequence: Int32, ends: EndTokens? = nil, sharedTrunkLayers: Int = 0, tokensPerPass: Int = 2048
    ) {
        self.model = model
        self.endOfSequence = endOfSequence
        var ends = ends ?? EndTokens(closing: endOfSequence)
        ends.closing = endOfSequence
        self.ends = ends
        self.sharedTrunkLayers = sharedTrunkLayers
        self.tokensPerPass = tokensPerPass
    }

    /// The score of every request, in order.
    /// - Throws: ``RewardError/tooLong(tokens:limit:)`` if the model has a limited number of positions and a text exceeds it.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try scores(of: requests, trunk: nil) }

    /// The score of every request; the trunk states are used if possible.
    /// - Throws: as ``rewards(for:)``.
    public func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] {
        try scores(of: requests, trunk: isUsable(trunk, for: requests) ? trunk : nil)
    }

    /// Whether the states come from shared layers only and cover all tokens that the model processes.
    private func isUsable(_ trunk: TrunkStates, for requests: [RewardRequest]) -> Bool {
        trunk.layers > 0 && trunk.layers <= sharedTrunkLayers && trunk.texts.count == requests.count
            && zip(trunk.texts, requests).allSatisfy { $0.rows.count == $1.promptTokens.count + answer(of: $1).count }
    }

    private func scores(of requests: [RewardRequest], trunk: TrunkStates?) throws -> [Double] {
        if let limit = model.decoder.positionLimit {
            for request in requests {
                let tokens = request.promptTokens.count + answer(of: request).count
                guard tokens <= limit else { throw RewardError.tooLong(tokens: tokens, limit: limit) }
            }
        }
        var result: [Double] = []
        var part = 0..<0
        var tokens = 0
        func flush() {
            guard !part.isEmpty else { return }
            let states = trunk.map { TrunkStates(Array($0.texts[part]), layers: $0.layers) }
            result += score(Array(requests[part]), trunk: states).map(Double.init)
            (part, tokens) = (part.upperBound..<part.upperBound, 0)
        }
        for (index, request) in requests.enumerated() {
            let own = request.responseTokens.count + 1
            let sharesPrompt = !part.isEmpty && requests[index - 1].promptTokens == request.promptTokens
            let added = own + (sharesPrompt ? 0 : request.promptTokens.count)
            let isFull = tokens + added > tokensPerPass
            if isFull { flush() }
            part = part.lowerBound..<index + 1
            tokens += isFull ? own + request.promptTokens.count : added
        }
        flush()
        return result
    }

    /// The response with exactly one end-of-sequence token.
    private func answer(of request: RewardRequest) -> [Int32] { ends.closed(request.responseTokens) }

    /// The scores of some requests; consecutive responses to the same prompt share the computation of the prompt.
    private func score(_ requests: [RewardRequest], trunk: TrunkStates?) -> [Float] {
        let runs = TokenBatch.runs(ofEqual: requests.map(\.promptTokens))
        if let trunk, runs.count == requests.count {
            return model.scores(
                requests.map { $0.promptTokens + answer(of: $0) }, trunk: (TrunkRows.gathered(trunk.texts), trunk.layers))
        }
        let prompts = runs.map { requests[$0.lowerBound].promptTokens }
        let batch = TokenBatch(prompts: prompts, continuations: runs.map { requests[$0].map(answer) })
        let states = trunk.map {
            (states: TrunkRows.gathered($0.texts, sharing: runs, shared: prompts.map(\.count)), layers: $0.layers)
        }
        return model.scores(batch, lastRows: batch.rows.map { $0.upperBound - 1 }, trunk: states).values
    }
}
