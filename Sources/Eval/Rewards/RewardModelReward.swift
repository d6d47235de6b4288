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
            let own = Array(requests[part])
            let found = trunk.map { score(own, trunk: Array($0.texts[part]), layers: $0.layers) } ?? score(own)
            result += found.map(Double.init)
            (part, tokens) = (part.upperBound..<part.upperBound, 0)
        }
        for (index, request) in requests.enumerated() {
            let count = request.promptTokens.count + request.responseTokens.count + 1
            if tokens + count > tokensPerPass { flush() }
            part = part.lowerBound..<index + 1
            tokens += count
        }
        flush()
        return result
    }

    /// The response with one end.
    private func answer(of request: RewardRequest) -> [Int32] { ends.closed(request.responseTokens) }

    private func score(_ requests: [RewardRequest], trunk: [TrunkRows], layers: Int) -> [Float] {
        model.scores(requests.map { $0.promptTokens + answer(of: $0) }, trunk: (TrunkRows.gathered(trunk), layers))
    }

    private func score(_ requests: [RewardRequest]) -> [Float] {
        // consecutive answers to one prompt share its rows
        var prompts: [[Int32]] = []
        var groups: [[[Int32]]] = []
        for request in requests {
            if prompts.last == request.promptTokens {
                groups[groups.count - 1].append(answer(of: request))
            } else {
                prompts.append(request.promptTokens)
                groups.append([answer(of: request)])
            }
        }
        let batch = TokenBatch(prompts: prompts, continuations: groups)
        return model.scores(batch, lastRows: batch.rows.map { $0.upperBound - 1 }).values
    }
}
