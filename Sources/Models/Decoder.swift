public import Formats
public import Tensor

/// The numbers of a decoder that do not depend on its family.
public struct DecoderShape: Sendable, Equatable {
    /// C, the width of the hidden states between layers.
    public var hiddenSize: Int
    /// The number of layers.
    public var layerCount: Int
    /// NH, the query heads of a layer.
    public var heads: Int
    /// KH, the key/value heads of a layer.
    public var keyHeads: Int
    /// D, the channels of a head.
    public var headDim: Int
    /// V, the rows of the output projection.
    public var vocabularySize: Int
    /// The most tokens that a sequence may have.
    public var contextLength: Int
    /// The width of what the output projection and the value head read.
    public var headWidth: Int

    /// A shape; see the properties.
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

/// Where the rows of one pass through a layer stand: their positions, what they may attend to, and the cache that they extend.
public struct LayerContext {
    /// The position of every row.
    public var positions: [Int32]
    /// The number of tokens of every row's sequence as far as it is processed with the row; nil when that is up to the row itself.
    /// Only dynamic rotary scaling depends on it.
    public var lengths: [Int32]?
    /// What every query sees. Key rows are those of the pass, or rows of the cache where that is read.
    public var layout: AttentionLayout
    /// The rows whose output is wanted, in the order of the layout's queries; nil when that is all of them.
    public var wanted: [Int]?
    /// The cache that receives the rows' keys and values.
    public var cache: CachePlaces?
    /// What decides which numbers are dropped in training; nil where none are.
    public var dropout: DropoutSource?

    /// A cache, and where the rows of a pass go in it.
    public struct CachePlaces {
        /// The cache.
        public var store: KVCache
        /// The row of the cache that every row of the pass has; nil for a row that is not kept.
        public var rows: [Int?]
        /// Whether the queries see rows of the cache (a step of decoding) or those of the pass alone (whole prompts).
        public var isRead: Bool
        /// Rows and layout in layers with a window, where they differ.
        var windowed: (rows: [Int?], layout: AttentionLayout)?

        /// Places in a cache.
        public init(_ store: KVCache, rows: [Int?], isRead: Bool) {
            (self.store, self.rows, self.isRead) = (store, rows, isRead)
        }
    }

    /// A context; see the properties.
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

    /// Attention of a layer: queries of the wanted rows [R, NH·D] over keys and values of all rows [T, KH·D] and, in a step of decoding, of
    /// the cache, which takes the new ones.
    /// - Parameter dropout: the share of the keys' weights that training drops.
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

    /// The wanted rows of a matrix of all rows.
    public func selected(_ x: Tensor) -> Tensor { wanted.map(x.rows) ?? x }
    /// The positions of the wanted rows.
    public var queryPositions: [Int32] { wanted.map { $0.map { positions[$0] } } ?? positions }
}

/// A causal language model, as trainers and the generator see it: an embedding, a stack of layers, a final norm and a projection.
///
/// Rows of all sequences are packed without padding; positions and the attention layout say which row is which. Each family is one
/// final class in a file of its own.
public protocol TransformerDecoder: AnyObject {
    /// The family-independent numbers.
    var shape: DecoderShape { get }
    /// The parameters in front of the first layer, positions and any projection to the layers' width among them.
    var embeddingParameters: [Parameter] { get }
    /// The position embedding, which the paper always freezes; nil when the family has none.
    var positionParameter: Parameter? { get }
    /// The parameters behind the last layer, without the projection.
    var finalParameters: [Parameter] { get }
    /// The output projection [V, headWidth]; the input embedding itself when they are tied.
    var projection: Parameter { get }
    /// The bias of the output projection, [V], nil for most families.
    var projectionBias: Parameter? { get }
    /// The bound of the logits, `cap · tanh(logit / cap)`; nil for most families.
    var logitCap: Float? { get }
    /// How many keys a query of a layer sees at most, itself included; nil where it sees all.
    func window(ofLayer index: Int) -> Int?
    /// Whether tokens see those up to themselves alone. A decoder that sees in both directions gives states, but cannot be sampled or trained.
    var isCausal: Bool { get }
    /// The shares of numbers that supervised and reward training drop.
    var dropout: DropoutRates { get }
    /// Whether the projection is the input embedding.
    var isTied: Bool { get }
    /// The name of Transformers' sequence classifier of the family; nil where it has none.
    var classifierArchitecture: String? { get }
    /// The parameters of one layer.
    func parameters(ofLayer index: Int) -> [Parameter]
    /// Whether checkpoints hold a matrix as [inputs, outputs], which is [outputs, inputs] here; false for most families.
    func isStoredTransposed(_ parameter: Parameter) -> Bool
    /// Token (and position) embeddings: [T, C].
    func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor
    /// One layer: hidden states of all rows in, of the wanted rows out.
    func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor
    /// The final norm (and projection to the head's width): [R, headWidth].
    func finish(_ states: Tensor, on tape: Tape?) -> Tensor
    /// The adapter beside the projections; nil for a model without one.
    var adapter: Adapter? { get }
    /// A model of the same configuration with other weights, and with their adapter.
    func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder
    /// The configuration, with the names of Hugging Face's config.json.
    func configuration() -> JSONValue
}

extension TransformerDecoder {
    /// False: matrices lie in checkpoints as they do here.
    public func isStoredTransposed(_ parameter: Parameter) -> Bool { false }

    /// No layer has a window.
    public func window(ofLayer index: Int) -> Int? { nil }
    /// True.
    public var isCausal: Bool { true }
    /// None.
    public var projectionBias: Parameter? { nil }
    /// No bound.
    public var logitCap: Float? { nil }
    /// None.
    public var classifierArchitecture: String? { nil }

    /// All parameters, each once, in the order of the state dictionary.
    public var parameters: [Parameter] {
        embeddingParameters + (0..<shape.layerCount).flatMap(parameters(ofLayer:)) + finalParameters
            + (isTied ? [] : [projection]) + [projectionBias].compactMap { $0 }
    }

    /// The number of trained and of all weights.
    public var parameterCounts: (trainable: Int, total: Int) {
        parameters.reduce(into: (0, 0)) {
            $0.0 += $1.isTrainable ? $1.value.count : 0
            $0.1 += $1.value.count
        }
    }

    /// The most tokens of a sequence that has a row for every position; nil where positions are computed and any length can be read.
    public var positionLimit: Int? { positionParameter == nil ? nil : shape.contextLength }

    /// How many layers, from the first, are constant: frozen, behind frozen embeddings. Their outputs can be computed once.
    public var frozenTrunk: Int {
        guard embeddingParameters.allSatisfy({ !$0.isTrainable }) else { return 0 }
        return (0..<shape.layerCount).first { parameters(ofLayer: $0).contains(where: \.isTrainable) } ?? shape.layerCount
    }

    /// Runs a range of layers over a batch; in the model's last layer only the wanted rows are computed beyond their keys.
    ///
    /// - Parameters:
    ///   - states: the input of the first of the layers; nil to start from the embeddings.
    ///   - wanted: the rows that are needed behind the last layer of the model; ignored when the range ends before it.
    /// - Returns: [T, C], or [R, C] when `wanted` applied.
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

    /// The final hidden states of the wanted rows: embeddings, all layers (the frozen ones off the tape) and the final norm:
    /// [R, headWidth].
    /// - Parameter trunk: the output of the first `trunk.layers` layers for every token, [T, C], when it is known already.
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

// What the output projection makes of final hidden states [R, headWidth].
extension TransformerDecoder {
    private func form(on tape: Tape?) -> LogitForm { LogitForm(bias: projectionBias?.on(tape), cap: logitCap) }

    /// The logits of every row, with ids that have no token set to −∞: [R, V]. No gradient flows through it.
    public func logits(_ hidden: Tensor, validTokens: Int? = nil) -> Tensor {
        hidden.logits(projection.value, validTokens: validTokens, form: form(on: nil))
    }

    /// The log-probability of one target token a row, and the entropies of the distributions where they are wanted.
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
