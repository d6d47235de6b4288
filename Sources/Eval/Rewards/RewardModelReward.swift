public import Models
import Tensor

/// The score of a reward model at the end-of-sequence token of prompt + response + end, computed on the policy's own tokens.
public struct RewardModelReward: TrunkReadingReward {
    /// The model.
    public let model: RewardModel
    /// Put behind a response that has not drawn it.
    public let endOfSequence: Int32
    /// All tokens that responses end with.
    public let ends: EndTokens
    /// How many layers this model and the policy have in common; 0 when the model has to run in full. Trunk states are used when they were
    /// taken behind no more layers than that.
    public let sharedTrunkLayers: Int
    /// The most tokens in memory at once.
    public let tokensPerPass: Int

    /// A reward by a model.
    /// - Parameters:
    ///   - endOfSequence: what the model has learned to read at the end of a text.
    ///   - ends: the tokens that responses end with, when there are several.
    ///   - sharedTrunkLayers: how many layers the policy and this model have in common (see ``Trunk``).
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

    /// - Throws: ``RewardError/tooLong(tokens:limit:)`` where the model has a table of positions and a text goes beyond it.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try scores(of: requests, trunk: nil) }

    /// - Throws: as ``rewards(for:)``.
    public func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] {
        try scores(of: requests, trunk: isUsable(trunk, for: requests) ? trunk : nil)
    }

    /// Whether states come from common layers alone, and are those of all that the model reads.
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

    /// The response with one end.
    private func answer(of request: RewardRequest) -> [Int32] { ends.closed(request.responseTokens) }

    /// The scores of some requests; consecutive answers to one prompt share its rows.
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
