public import Models
import Tensor

/// The score of a reward model at the end-of-sequence token of prompt + response + end, computed on the policy's own tokens.
public struct RewardModelReward: RewardFunction {
    /// The model.
    public let model: RewardModel
    /// Put behind a response that has not drawn it.
    public let endOfSequence: Int32
    /// All tokens that responses end with.
    public let ends: EndTokens
    /// How many layers this model and the policy have in common; 0 when the model has to run in full. Trunk states of a request are
    /// used when they were taken behind no more layers than that.
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
    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        if let limit = model.decoder.positionLimit {
            for request in requests {
                let tokens = request.promptTokens.count + answer(of: request).count
                guard tokens <= limit else { throw RewardError.tooLong(tokens: tokens, limit: limit) }
            }
        }
        var result: [Double] = []
        var part: [RewardRequest] = []
        var tokens = 0
        func flush() {
            guard !part.isEmpty else { return }
            result += score(part).map(Double.init)
            (part, tokens) = ([], 0)
        }
        for request in requests {
            let count = request.promptTokens.count + request.responseTokens.count + 1
            if tokens + count > tokensPerPass { flush() }
            part.append(request)
            tokens += count
        }
        flush()
        return result
    }

    /// The response with one end.
    private func answer(of request: RewardRequest) -> [Int32] { ends.closed(request.responseTokens) }

    private func score(_ requests: [RewardRequest]) -> [Float] {
        let answers = requests.map(answer(of:))
        let trunks = requests.compactMap(\.trunk)
        let layers = Set(requests.map(\.trunkLayers))
        if let depth = layers.first, layers.count == 1, depth > 0, depth <= sharedTrunkLayers, trunks.count == requests.count {
            return model.scores(zip(requests, answers).map { $0.promptTokens + $1 }, trunk: (Tensor.stacked(trunks), depth))
        }
        // consecutive answers to one prompt share its rows
        var prompts: [[Int32]] = []
        var groups: [[[Int32]]] = []
        for (request, answer) in zip(requests, answers) {
            if prompts.last == request.promptTokens {
                groups[groups.count - 1].append(answer)
            } else {
                prompts.append(request.promptTokens)
                groups.append([answer])
            }
        }
        let batch = TokenBatch(prompts: prompts, continuations: groups)
        return model.scores(batch, lastRows: batch.rows.map { $0.upperBound - 1 }).values
    }
}
