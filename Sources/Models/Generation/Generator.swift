public import Tensor

/// A prompt and the random streams of its responses.
public struct GenerationRequest {
    /// The token IDs of the prompt, at least one.
    public var prompt: [Int32]
    /// One generator for each response. A response depends only on its prompt and its stream, not on the rest of the batch.
    public var streams: [Philox]

    /// Creates a request for `streams.count` responses.
    public init(prompt: [Int32], streams: [Philox]) {
        self.prompt = prompt
        self.streams = streams
    }
}

/// A sampled response.
public struct GeneratedResponse {
    /// The sampled token IDs, including the end token if one was sampled.
    public var tokens: [Int32] = []
    /// The log-probability of each token under softmax(logits / temperature).
    public var logProbs: [Float] = []
    /// The log-probability with which each token was actually sampled, considering all restrictions: top-k, top-p, min-p and
    /// forbidden tokens. 0 for greedy decoding.
    public var drawLogProbs: [Float] = []
    /// The value head's output for the state from which each token was sampled; empty without a head.
    public var values: [Float] = []
    /// Whether the response ended with an end token.
    public var ended = false
    /// The states after the first `trunkLayers` layers, for every token of the prompt and of the response as a reward model
    /// reads it, with one closing token (``EndTokens/closed(_:)``). These are P + R (+ 1) rows of a matrix that all responses of
    /// a call share. Nil unless requested.
    public var trunk: TrunkRows?

    /// Creates an empty response.
    public init() {}
}

/// Batched sampling of responses, with a key/value cache.
///
/// The batch is continuous: when a response ends, the next one takes its place. A prompt is processed once for all of its
/// responses. In each step, the weights are read once for all rows.
public struct Generator {
    /// The model.
    public var decoder: any TransformerDecoder
    /// A value head that is evaluated for every sampled token; nil for none.
    public var valueHead: ValueHead?
    /// The tokens that end a response.
    public var ends: EndTokens
    /// The tokenizer's end-of-sequence token, which is appended to texts; it also ends responses unless other tokens are given.
    public var endOfSequence: Int32? { ends.closing }
    /// The number of token IDs that are in use. Higher IDs are never sampled.
    public var validTokens: Int
    /// The maximum number of responses that are extended in one step.
    public var maxActive: Int
    /// The number of layers after which states are returned with each response; nil to return none.
    public var trunkLayers: Int?
    /// A function that modifies the logits [V] from which a response's next token is sampled, given the tokens of the response so
    /// far. Set a logit to −∞ to forbid its token. Like top-k, it affects sampling but not ``GeneratedResponse/logProbs``. It is
    /// called from several threads.
    public var processLogits: (@Sendable (_ logits: inout [Float], _ tokens: [Int32]) -> Void)?

    /// A function that receives the tokens of a response (`sample` of `request`) after each new token, and returns whether the
    /// response continues.
    public typealias Observer = (_ request: Int, _ sample: Int, _ tokens: [Int32]) throws -> Bool

    /// The default of ``maxActive``.
    public static let defaultMaxActive = 64

    /// Creates a generator whose responses end with one token.
    /// - Parameters:
    ///   - decoder: the model.
    ///   - valueHead: a value head to evaluate for every sampled token; nil for none.
    ///   - endOfSequence: the end-of-sequence token; nil for none.
    ///   - validTokens: the number of token IDs in use. Default: the vocabulary size.
    ///   - maxActive: the maximum number of responses that are extended in one step.
    ///   - trunkLayers: the number of layers after which states are returned; nil to return none.
    public init(
        _ decoder: any TransformerDecoder, valueHead: ValueHead? = nil, endOfSequence: Int32?, validTokens: Int? = nil,
        maxActive: Int = Generator.defaultMaxActive, trunkLayers: Int? = nil
    ) {
        self.init(
            decoder, valueHead: valueHead, ends: EndTokens(closing: endOfSequence), validTokens: validTokens, maxActive: maxActive,
            trunkLayers: trunkLayers)
    }

    /// Creates a generator whose responses end with any of several tokens.
    public init(
        _ decoder: any TransformerDecoder, valueHead: ValueHead? = nil, ends: EndTokens, validTokens: Int? = nil,
        maxActive: Int = Generator.defaultMaxActive, trunkLayers: Int? = nil
    ) {
        self.decoder = decoder
        self.valueHead = valueHead
        self.ends = ends
        self.validTokens = validTokens ?? decoder.shape.vocabularySize
        self.maxActive = maxActive
        self.trunkLayers = trunkLayers
    }

    /// Samples responses to all requests.
    ///
    /// - Parameters:
    ///   - requests: the prompts and random streams.
    ///   - options: how tokens are sampled, and the maximum number of new tokens.
    ///   - progress: called after every step with the number of tokens sampled so far.
    ///   - observer: receives every response as it grows, and can end it early; the result is then what it has so far.
    /// - Returns: the responses to each request, in the order of the requests and of their streams.
    /// - Throws: ``GenerationError`` if a prompt is empty, has a token outside of the vocabulary or leaves no room for a response
    ///   in the context, or if the logits of a row are not finite; errors of `observer` and `progress`.
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
        // responses that end with their first token need no step
        if session.sampledTokens > told { try progress?(session.sampledTokens) }
        return session.results
    }
}

extension Generator {
    /// The maximum number of prompt tokens per pass: enough for products at full speed, few enough for intermediate results to
    /// stay in the cache.
    public static var prefillTokens: Int { 1024 }

    /// The memory in bytes for keys, values and logits in ``generate(_:options:progress:observer:)``, for prompts of the given
    /// lengths.
    /// - Parameters:
    ///   - prompts: the number of tokens of each prompt.
    ///   - streams: the number of responses to each prompt.
    ///   - maxNewTokens: the maximum number of new tokens of a response.
    public func cacheBytes(prompts: [Int], streams: Int = 1, maxNewTokens: Int) -> Int {
        guard !prompts.isEmpty else { return 0 }
        let size = CacheSize(
            decoder, prompts: prompts, streams: prompts.map { _ in streams }, maxActive: maxActive, maxNewTokens: maxNewTokens)
        let shape = decoder.shape
        let responses = min(maxActive, prompts.count * streams)
        // a prompt's logits exist twice: in the pass, and until its responses begin
        let logits = (responses + 2 * size.promptsAtOnce) * shape.vocabularySize
        return KVCache.byteCount(for: shape, capacity: size.rows, isWindowed: size.isWindowed) + 4 * logits
    }
}

/// An error in a generation request, or in the model's output.
public enum GenerationError: Error, Equatable, CustomStringConvertible {
    /// The prompt has no tokens.
    case emptyPrompt(index: Int)
    /// The prompt has a token ID outside of the vocabulary.
    case unknownToken(index: Int, token: Int32, rows: Int)
    /// The prompt and the new tokens do not fit into the model's context.
    case promptTooLong(index: Int, tokens: Int, room: Int)
    /// The model returned logits that are NaN or infinite.
    case notFinite(index: Int, position: Int)

    /// One line that names the prompt and says what is wrong with it.
    public var description: String {
        switch self {
        case .emptyPrompt(let index): "prompt \(index) has no tokens; every prompt needs at least one token"
        case .unknownToken(let index, let token, let rows):
            "prompt \(index) has the token \(token), but the model's token ids are 0..<\(rows); the tokenizer does not match the model"
        case .promptTooLong(let index, let tokens, let room):
            "prompt \(index) has \(tokens) tokens, but the model's context leaves room for \(max(0, room)); "
                + "shorten it (--max-source-length in the training programs) or ask for fewer new tokens"
        case .notFinite(let index, let position):
            "the model's logits for prompt \(index) are NaN or Inf at position \(position); the weights are damaged or training diverged"
        }
    }
}
