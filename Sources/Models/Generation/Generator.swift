public import Tensor

/// A prompt and the random streams of the responses that are wanted to it, one stream a response.
public struct GenerationRequest {
    /// The prompt's tokens, at least one.
    public var prompt: [Int32]
    /// One generator for each response; a response depends on its prompt and its stream alone, never on the rest of the batch.
    public var streams: [Philox]

    /// A request for `streams.count` responses.
    public init(prompt: [Int32], streams: [Philox]) {
        self.prompt = prompt
        self.streams = streams
    }
}

/// A sampled response.
public struct GeneratedResponse {
    /// The tokens, with the one that ended it when one was drawn.
    public var tokens: [Int32] = []
    /// log p of each token under softmax(logits / temperature).
    public var logProbs: [Float] = []
    /// log p of each token's draw, with what restricts it: top-k, top-p, min-p, forbidden tokens. Greedy tokens have 0.
    public var drawLogProbs: [Float] = []
    /// The value head's output in the state that each token was drawn in; empty without a head.
    public var values: [Float] = []
    /// Whether the response ended by itself, with one of the end tokens.
    public var ended = false
    /// The states behind the first `trunkLayers` layers of every prompt token and of the response as a reward model reads it, with one
    /// closing token (``EndTokens/closed(_:)``): P + R (+ 1) rows of a matrix that all responses of a call share. Only when asked for.
    public var trunk: TrunkRows?

    /// A response without tokens.
    public init() {}
}

/// Samples responses to many prompts at once, with a cache of keys and values.
///
/// Rows are ragged: a response leaves the batch when it ends, and the next one takes its place. A prompt is processed once for all its
/// responses. The weights are read once a step for all rows.
public struct Generator {
    /// The model.
    public var decoder: any TransformerDecoder
    /// Read out beside every sampled token, when there is one.
    public var valueHead: ValueHead?
    /// The tokens that end a response.
    public var ends: EndTokens
    /// What is put behind texts, and ends responses where nothing else is named.
    public var endOfSequence: Int32? { ends.closing }
    /// Ids at and above this have no token and are never drawn.
    public var validTokens: Int
    /// The most responses that are extended in one step.
    public var maxActive: Int
    /// Whether, and behind how many layers, states are returned with each response.
    public var trunkLayers: Int?
    /// Changes the logits [V] that a response's next token is drawn from, given its tokens so far: to forbid a token, set its logit to −∞. Like
    /// top-k it restricts the draw alone, not the log-probabilities. Called from several threads.
    public var processLogits: (@Sendable (_ logits: inout [Float], _ tokens: [Int32]) -> Void)?

    /// Sees a response (`sample` of `request`) with every token that is drawn, and says whether it goes on.
    public typealias Observer = (_ request: Int, _ sample: Int, _ tokens: [Int32]) throws -> Bool

    /// A generator for a model whose responses one token ends.
    public init(
        _ decoder: any TransformerDecoder, valueHead: ValueHead? = nil, endOfSequence: Int32?, validTokens: Int? = nil,
        maxActive: Int = 64, trunkLayers: Int? = nil
    ) {
        self.init(
            decoder, valueHead: valueHead, ends: EndTokens(closing: endOfSequence), validTokens: validTokens, maxActive: maxActive,
            trunkLayers: trunkLayers)
    }

    /// A generator for a model whose responses several tokens may end.
    public init(
        _ decoder: any TransformerDecoder, valueHead: ValueHead? = nil, ends: EndTokens, validTokens: Int? = nil, maxActive: Int = 64,
        trunkLayers: Int? = nil
    ) {
        self.decoder = decoder
        self.valueHead = valueHead
        self.ends = ends
        self.validTokens = validTokens ?? decoder.shape.vocabularySize
        self.maxActive = maxActive
        self.trunkLayers = trunkLayers
    }

    /// Responses to every request, in the order of the requests and of their streams.
    ///
    /// - Parameters:
    ///   - observer: sees every response as it grows, and may end it: what it has then is its result.
    ///   - progress: called after every step with the number of tokens sampled so far.
    /// - Throws: ``GenerationError`` when a prompt is empty, has a token that the model does not know, or leaves no room for a response in the context, or when the logits of
    ///   a row are not finite; what `observer` and `progress` throw.
    public func generate(
        _ requests: [GenerationRequest], options: SamplingOptions, progress: ((Int) throws -> Void)? = nil,
        observer: Observer? = nil
    ) throws -> [[GeneratedResponse]] {
        for (index, request) in requests.enumerated() {
            let room = decoder.shape.contextLength - options.maxNewTokens - 1
            guard !request.prompt.isEmpty else { throw GenerationError.emptyPrompt(index: index) }
            if let token = request.prompt.first(where: { !(0..<decoder.shape.vocabularySize).contains(Int($0)) }) {
                throw GenerationError.unknownToken(index: index, token: token, rows: decoder.shape.vocabularySize)
            }
            guard request.prompt.count <= room else {
                throw GenerationError.promptTooLong(index: index, tokens: request.prompt.count, room: room)
            }
        }
        let session = GenerationSession(self, requests, options, observer)
        var told = 0
        while try session.step() {
            told = session.sampledTokens
            try progress?(told)
        }
        // responses that ended with their first token need no step
        if session.sampledTokens > told { try progress?(session.sampledTokens) }
        return session.results
    }
}

extension Generator {
    /// The most prompt tokens that are processed in one pass: enough for products at full speed, few enough for what lies between two
    /// operations to stay in the cache.
    public static var prefillTokens: Int { 1024 }

    /// The bytes of keys, values and logits that ``generate(_:options:progress:)`` holds for prompts of given lengths.
    /// - Parameter streams: the responses to each.
    public func cacheBytes(prompts: [Int], streams: Int = 1, maxNewTokens: Int) -> Int {
        guard !prompts.isEmpty else { return 0 }
        let size = CacheSize(
            decoder, prompts: prompts, streams: prompts.map { _ in streams }, maxActive: maxActive, maxNewTokens: maxNewTokens)
        let shape = decoder.shape
        let responses = min(maxActive, prompts.count * streams)
        // logits exist twice for a prompt: as those of its pass, and until its responses begin
        let logits = (responses + 2 * size.promptsAtOnce) * shape.vocabularySize
        return KVCache.byteCount(for: shape, capacity: size.rows, isWindowed: size.isWindowed) + 4 * logits
    }
}

/// What can be wrong with a request for responses.
public enum GenerationError: Error, Equatable, CustomStringConvertible {
    /// A prompt has no token.
    case emptyPrompt(index: Int)
    /// A prompt has a token that the model has no embedding for.
    case unknownToken(index: Int, token: Int32, rows: Int)
    /// Prompt and new tokens do not fit the model's context.
    case promptTooLong(index: Int, tokens: Int, room: Int)
    /// The model gave a logit that is NaN or infinite.
    case notFinite(index: Int, position: Int)

    public var description: String {
        switch self {
        case .emptyPrompt(let index): "prompt \(index) has no tokens; every prompt needs at least one"
        case .unknownToken(let index, let token, let rows):
            "prompt \(index) has the token \(token), but the model's tokens are 0..<\(rows); its tokenizer belongs to another model"
        case .promptTooLong(let index, let tokens, let room):
            "prompt \(index) has \(tokens) tokens, but the model's context leaves room for \(max(0, room)); "
                + "shorten it (--max-source-length) or ask for fewer new tokens"
        case .notFinite(let index, let position):
            "the model's logits for prompt \(index) are not finite at position \(position); its weights are damaged or it diverged"
        }
    }
}
