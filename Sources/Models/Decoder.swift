public import Formats
public import Tensor

/// The dimensions of a decoder, independent of its model family.
public struct DecoderShape: Sendable, Equatable {
    /// C, the width of the hidden states between layers.
    public var hiddenSize: Int
    /// The number of layers.
    public var layerCount: Int
    /// NH, the number of query heads of a layer.
    public var heads: Int
    /// KH, the number of key/value heads of a layer.
    public var keyHeads: Int
    /// D, the number of channels of a head.
    public var headDim: Int
    /// V, the number of rows of the output projection.
    public var vocabularySize: Int
    /// The maximum number of tokens of a sequence.
    public var contextLength: Int
    /// The width of the states that the output projection and the value head read; it differs from C if a final projection
    /// follows the layers.
    public var headWidth: Int

    /// Creates a shape from the values of the properties.
    public init(
        hiddenSize: Int, layerCount: Int, heads: Int, keyHeads: Int, headDim: Int, vocabularySize: Int, contextLength: Int,
        headWidth: Int
    ) {
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.heads = heads
        self.keyHeads = keyHeads
        self.headDim = headDim
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.headWidth = headWidth
    }
}

/// The rows of one pass through a layer: their positions, which keys they see, and the key/value cache that they extend.
public struct LayerContext {
    /// The position of every row in its sequence.
    public var positions: [Int32]
    /// For every row, the number of tokens of its sequence that are processed up to this pass; nil if that is the row's position
    /// + 1. Only dynamic rotary scaling uses it.
    public var lengths: [Int32]?
    /// Which keys every query sees. Key rows are rows of this pass, or rows of the cache if the cache is read.
    public var layout: AttentionLayout
    /// The rows whose output is needed, in the order of the layout's queries; nil for all rows.
    public var wanted: [Int]?
    /// The cache that receives the keys and values of the rows; nil for none.
    public var cache: CachePlaces?
    /// The source of dropout masks in training; nil for no dropout.
    public var dropout: DropoutSource?

    /// A key/value cache and the positions of a pass's rows in it.
    public struct CachePlaces {
        /// The key/value cache.
        public var store: KVCache
        /// The cache row of every row of the pass; nil for a row that is not stored.
        public var rows: [Int?]
        /// Whether queries see rows of the cache (decoding steps) or only those of the pass (whole prompts).
        public var isRead: Bool
        /// The rows and the layout for layers with a sliding window, if they differ.
        var windowed: (rows: [Int?], layout: AttentionLayout)?

        /// Creates the cache positions of a pass.
        public init(_ store: KVCache, rows: [Int?], isRead: Bool) {
            (self.store, self.rows, self.isRead) = (store, rows, isRead)
        }
    }

    /// Creates a context from the values of the properties.
    public init(
        positions: [Int32], lengths: [Int32]? = nil, layout: AttentionLayout, wanted: [Int]? = nil,
        cache: CachePlaces? = nil, dropout: DropoutSource? = nil
    ) {
        self.positions = positions
        self.lengths = lengths
        self.layout = layout
        self.wanted = wanted
        self.cache = cache
        self.dropout = dropout
    }

    /// Computes attention in a layer: queries of the wanted rows [R, NH·D] over the keys and values of all rows [T, KH·D]. If
    /// there is a cache, the keys and values are added to it; in a decoding step, the queries see the rows of the cache.
    /// - Parameters:
    ///   - queries: the queries of the wanted rows, [R, NH·D].
    ///   - keys: the keys of all rows, [T, KH·D].
    ///   - values: the values of all rows, [T, KH·D].
    ///   - layer: the index of the layer.
    ///   - heads: NH, the number of query heads.
    ///   - keyHeads: KH, the number of key/value heads.
    ///   - scores: how attention scores are computed from the products of queries and keys.
    ///   - rate: the dropout rate of the attention weights.
    public func attention(
        _ queries: Tensor, _ keys: Tensor, _ values: Tensor, layer: Int, heads: Int, keyHeads: Int,
        scores: AttentionScores = AttentionScores(), dropout rate: Double
    ) -> Tensor {
        if let cache {
            let windowed = cache.store.isWindowed(layer: layer) ? cache.windowed : nil
            cache.store.extend(layer: layer, keys: keys, values: values, at: windowed?.rows ?? cache.rows)
            if cache.isRead {
                return cache.store.attention(
                    queries, layer: layer, layout: windowed?.layout ?? layout, heads: heads, keyHeads: keyHeads, scores: scores)
            }
        }
        return queries.attending(
            keys: keys, values: values, layout: layout, heads: heads, keyHeads: keyHeads, scores: scores,
            dropout: mask(.attentionWeights, layer: layer, rate: rate))
    }

    /// The wanted rows of a matrix with all rows; the whole matrix if all rows are wanted.
    public func selected(_ x: Tensor) -> Tensor { wanted.map(x.rows) ?? x }
    /// The positions of the wanted rows.
    public var queryPositions: [Int32] { wanted.map { $0.map { positions[$0] } } ?? positions }
}

/// A decoder-only transformer, as used by trainers and the generator: an embedding, a stack of layers, a final norm and an output
/// projection.
///
/// The rows of all sequences are packed without padding; positions and the attention layout identify them. The built-in families are a
/// ``StackedDecoder`` with different parts; others may have a class that conforms to this protocol.
public protocol TransformerDecoder: AnyObject {
    /// The dimensions of the decoder.
    var shape: DecoderShape { get }
    /// The parameters before the first layer, including position embeddings and a projection to the width of the layers.
    var embeddingParameters: [Parameter] { get }
    /// The learned position embedding, which ``Freezing`` freezes together with any layers; nil if positions are computed.
    var positionParameter: Parameter? { get }
    /// The parameters after the last layer, except the output projection.
    var finalParameters: [Parameter] { get }
    /// The output projection [V, headWidth]; the input embedding itself if they are tied.
    var projection: Parameter { get }
    /// The bias of the output projection, [V]; nil for most families.
    var projectionBias: Parameter? { get }
    /// The soft cap of the logits, `cap · tanh(logit / cap)`; nil for most families.
    var logitCap: Float? { get }
    /// The sliding window of a layer: the maximum number of keys that a query sees, including itself; nil if it sees all.
    func window(ofLayer index: Int) -> Int?
    /// Whether tokens see only those up to themselves. A bidirectional decoder can compute states, but cannot be sampled from or
    /// trained.
    var isCausal: Bool { get }
    /// The dropout rates for supervised and reward-model training.
    var dropout: DropoutRates { get }
    /// Whether the output projection is the input embedding.
    var isTied: Bool { get }
    /// The name of the family's sequence classifier in Transformers; nil if there is none.
    var classifierArchitecture: String? { get }
    /// The parameters of one layer.
    func parameters(ofLayer index: Int) -> [Parameter]
    /// Whether checkpoints store a matrix as [inputs, outputs], although it is [outputs, inputs] in memory.
    func isStoredTransposed(_ parameter: Parameter) -> Bool
    /// The sum of token and position embeddings, as the first layer reads it: [T, C].
    func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor
    /// Applies one layer: hidden states of all rows [T, C] to those of the wanted rows [R, C].
    func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor
    /// Applies the final norm and, if there is one, the projection to the head's width: [R, headWidth].
    func finish(_ states: Tensor, on tape: Tape?) -> Tensor
    /// The adapter of the projections; nil for a model without one.
    var adapter: Adapter? { get }
    /// A model of the same configuration with other weights and their adapter.
    func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder
    /// The configuration, with the keys of Hugging Face's config.json.
    func configuration() -> JSONValue
}

extension TransformerDecoder {
    /// Default: false, checkpoints store matrices as they are in memory.
    public func isStoredTransposed(_ parameter: Parameter) -> Bool { false }

    /// Default: nil, no layer has a window.
    public func window(ofLayer index: Int) -> Int? { nil }
    /// Default: true.
    public var isCausal: Bool { true }
    /// Default: nil, no bias.
    public var projectionBias: Parameter? { nil }
    /// Default: nil, no soft cap.
    public var logitCap: Float? { nil }
    /// Default: nil, no classifier.
    public var classifierArchitecture: String? { nil }

    /// All parameters, without duplicates: embeddings, layers, final norm, and the output projection if it is not tied.
    public var parameters: [Parameter] {
        embeddingParameters + (0..<shape.layerCount).flatMap(parameters(ofLayer:)) + finalParameters
            + (isTied ? [] : [projection]) + [projectionBias].compactMap { $0 }
    }

    /// The number of trainable weights and of all weights.
    public var parameterCounts: (trainable: Int, total: Int) {
        parameters.reduce(into: (0, 0)) {
            $0.0 += $1.isTrainable ? $1.value.count : 0
            $0.1 += $1.value.count
        }
    }

    /// The maximum number of tokens of a sequence if position embeddings are learned; nil if positions are computed, so that any
    /// length can be processed.
    public var positionLimit: Int? { positionParameter == nil ? nil : shape.contextLength }

    /// The number of layers, from the first, whose outputs are constant: they and the embeddings are frozen. Their outputs need
    /// to be computed only once.
    public var frozenTrunk: Int {
        guard embeddingParameters.allSatisfy({ !$0.isTrainable }) else { return 0 }
        return (0..<shape.layerCount).first { parameters(ofLayer: $0).contains(where: \.isTrainable) } ?? shape.layerCount
    }

    /// Runs a range of layers on a batch. In the model's last layer, only keys and values are computed for rows that are not
    /// wanted.
    ///
    /// - Parameters:
    ///   - batch: the tokens.
    ///   - layers: the indices of the layers.
    ///   - states: the input [T, C] of the first of the layers; nil to start from the embeddings.
    ///   - wanted: the rows whose output of the model's last layer is needed; ignored if the range ends before that layer.
    ///   - tape: the tape that records the pass; nil for inference.
    /// - Returns: [T, C], or [R, C] if `wanted` applied.
    public func run(
        _ batch: TokenBatch, layers: Range<Int>, from states: Tensor? = nil, wanted: [Range<Int>]? = nil, on tape: Tape? = nil
    ) -> Tensor {
        let all = LayerContext(
            positions: batch.positions, lengths: batch.lengths, layout: batch.layout, dropout: batch.dropout)
        var states =
            states
            ?? all.dropped(
                embed(batch.ids, positions: batch.positions, on: tape), .embedding, layer: 0, rate: dropout.embedding)
        for index in layers {
            let isCut = wanted != nil && index == shape.layerCount - 1
            let context = isCut ? batch.context(wanting: wanted ?? []) : all
            let isTrained = states.isRecorded || parameters(ofLayer: index).contains(where: \.isTrainable)
            if let tape, tape.recomputesLayers, isTrained {
                states = states.recomputed(on: tape) { self.layer(index, $0, context, on: $1) }
            } else {
                states = layer(index, states, context, on: tape)
            }
        }
        return states
    }

    /// The final hidden states of the wanted rows, [R, headWidth]: embeddings, all layers (frozen ones without a tape) and the
    /// final norm.
    /// - Parameters:
    ///   - batch: the tokens.
    ///   - wanted: the rows whose hidden states are returned.
    ///   - trunk: the output [T, C] of the first `trunk.layers` layers for every token, if it has already been computed.
    ///   - tape: the tape that records the pass; nil for inference.
    public func hidden(
        _ batch: TokenBatch, wanted: [Range<Int>], trunk: (states: Tensor, layers: Int)? = nil, on tape: Tape? = nil
    ) -> Tensor {
        let layers = shape.layerCount
        if let trunk, trunk.layers == layers {
            return finish(trunk.states.rows(wanted.flatMap { Array($0) }), on: tape)
        }
        let frozen = trunk?.layers ?? (tape == nil ? 0 : frozenTrunk)
        var states = trunk?.states
        if trunk == nil && frozen > 0 { states = run(batch, layers: 0..<frozen, wanted: wanted) }
        if frozen < layers { states = run(batch, layers: frozen..<layers, from: states, wanted: wanted, on: tape) }
        guard let states else { preconditionFailure("a decoder has at least one layer") }
        return finish(states, on: tape)
    }
}

// Applying the output projection to final hidden states [R, headWidth].
extension TransformerDecoder {
    private func form(on tape: Tape?) -> LogitForm { LogitForm(bias: projectionBias?.on(tape), cap: logitCap) }

    /// The logits of every row: [R, V], with −∞ for unused token IDs. No gradient flows through it.
    public func logits(_ hidden: Tensor, validTokens: Int? = nil) -> Tensor {
        hidden.logits(projection.value, validTokens: validTokens, form: form(on: nil))
    }

    /// The log-probability of one target token per row, and the entropy of each row's distribution if requested.
    public func logProbs(
        _ hidden: Tensor, targets: [Int32], temperature: Float = 1, validTokens: Int? = nil, withEntropy: Bool = false, on tape: Tape? = nil
    ) -> TokenLogProbs {
        hidden.logProbs(
            projection.on(tape), targets: targets, temperature: temperature, validTokens: validTokens, withEntropy: withEntropy,
            form: form(on: tape))
    }

    /// The weighted sum of cross-entropies, Σ wᵢ · −log p(targetᵢ), as a scalar.
    public func crossEntropy(
        _ hidden: Tensor, targets: [Int32], rowWeights: [Float], validTokens: Int? = nil, on tape: Tape? = nil
    ) -> Tensor {
        hidden.crossEntropy(projection.on(tape), targets: targets, rowWeights: rowWeights, validTokens: validTokens, form: form(on: tape))
    }
}
