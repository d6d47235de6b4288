public import Formats
public import Tensor

/// The configuration of a GPT-2 model. ``GPT2/configuration()`` returns it with the keys of Hugging Face's config.json.
public struct GPT2Configuration: Sendable, Equatable {
    /// V, the number of rows of the token embedding.
    public var vocabularySize: Int
    /// C, the width of the hidden states.
    public var hiddenSize: Int
    /// F, the hidden width of the MLPs.
    public var feedForwardSize: Int
    /// The number of layers.
    public var layerCount: Int
    /// The number of attention heads.
    public var heads: Int
    /// The maximum number of tokens of a sequence.
    public var contextLength: Int
    /// The epsilon of norms, which is added to the variance.
    public var normEpsilon: Double
    /// The activation function of the MLPs.
    public var activation: Activation
    /// Whether attention scores are divided by √D, with D the channels of a head.
    public var scalesByHeadDim: Bool
    /// Whether the scores of layer i, counted from 1, are also divided by i.
    public var scalesByLayer: Bool
    /// Whether the output projection is the token embedding.
    public var tiesEmbeddings: Bool
    /// The dropout rates for training: `embd_pdrop`, `attn_pdrop` and `resid_pdrop`.
    public var dropout: DropoutRates
    /// The standard deviation of newly initialised weights.
    public var initializerRange: Double

    /// Creates a configuration. The defaults are those of GPT-2.
    public init(
        vocabularySize: Int, hiddenSize: Int, feedForwardSize: Int? = nil, layerCount: Int, heads: Int,
        contextLength: Int = 1024, normEpsilon: Double = 1e-5, activation: Activation = .geluNew,
        scalesByHeadDim: Bool = true, scalesByLayer: Bool = false, tiesEmbeddings: Bool = true,
        dropout: DropoutRates = DropoutRates(embedding: 0.1, attention: 0.1, residual: 0.1), initializerRange: Double = 0.02
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.feedForwardSize = feedForwardSize ?? 4 * hiddenSize
        self.layerCount = layerCount
        self.heads = heads
        self.contextLength = contextLength
        self.normEpsilon = normEpsilon
        self.activation = activation
        self.scalesByHeadDim = scalesByHeadDim
        self.scalesByLayer = scalesByLayer
        self.tiesEmbeddings = tiesEmbeddings
        self.dropout = dropout
        self.initializerRange = initializerRange
    }
}

/// A GPT-2 decoder (Radford et al. 2019): learned position embeddings, pre-norm with LayerNorm, and one projection for queries,
/// keys and values.
///
/// Checkpoints store its matrices as [inputs, outputs]. In memory they are [outputs, inputs], as in the other families, so that
/// all use the same products.
public final class GPT2: TransformerDecoder {
    /// The weights of one layer.
    private struct Block {
        var attentionNorm: LayerNormalisation
        /// The projection of queries, keys and values, concatenated in this order: [3C, C].
        var attention: Projection
        var output: Projection
        var feedForwardNorm: LayerNormalisation
        var up: Projection
        var down: Projection

        var parameters: [Parameter] {
            attentionNorm.parameters + attention.parameters + output.parameters + feedForwardNorm.parameters
                + up.parameters
                + down.parameters
        }
    }

    /// The configuration of the model.
    public let settings: GPT2Configuration
    private let tokenEmbedding: Parameter
    private let positionEmbedding: Parameter
    private let blocks: [Block]
    private let finalNorm: LayerNormalisation
    /// The output projection: [V, C].
    public let projection: Parameter
    /// The adapter; nil for none.
    public let adapter: Adapter?

    /// Creates a model with weights from `source`: a checkpoint or random initialisation.
    /// - Throws: errors of `source`.
    public init(_ settings: GPT2Configuration, weights source: some WeightSource) throws {
        let hidden = settings.hiddenSize
        func norm(_ name: String) throws -> LayerNormalisation {
            try LayerNormalisation(source, "transformer.\(name)", width: hidden, epsilon: settings.normEpsilon)
        }
        func projection(_ name: String, _ outputs: Int, _ inputs: Int) throws -> Projection {
            try Projection(
                source, "transformer.\(name)", outputs: outputs, inputs: inputs, bias: true, transposed: true)
        }
        self.settings = settings
        tokenEmbedding = try source.parameter("transformer.wte.weight", [settings.vocabularySize, hidden])
        positionEmbedding = try source.parameter("transformer.wpe.weight", [settings.contextLength, hidden])
        blocks = try (0..<settings.layerCount).map { index in
            Block(
                attentionNorm: try norm("h.\(index).ln_1"),
                attention: try projection("h.\(index).attn.c_attn", 3 * hidden, hidden),
                output: try projection("h.\(index).attn.c_proj", hidden, hidden),
                feedForwardNorm: try norm("h.\(index).ln_2"),
                up: try projection("h.\(index).mlp.c_fc", settings.feedForwardSize, hidden),
                down: try projection("h.\(index).mlp.c_proj", hidden, settings.feedForwardSize))
        }
        finalNorm = try norm("ln_f")
        self.projection =
            settings.tiesEmbeddings
            ? tokenEmbedding : try source.parameter("lm_head.weight", [settings.vocabularySize, hidden])
        adapter = source.adapter?.finished()
    }

    /// The dimensions of the decoder.
    public var shape: DecoderShape {
        DecoderShape(
            hiddenSize: settings.hiddenSize, layerCount: settings.layerCount, heads: settings.heads,
            keyHeads: settings.heads, headDim: settings.hiddenSize / settings.heads,
            vocabularySize: settings.vocabularySize,
            contextLength: settings.contextLength, headWidth: settings.hiddenSize)
    }
    /// The token embedding and the position embedding.
    public var embeddingParameters: [Parameter] { [tokenEmbedding, positionEmbedding] }
    /// The learned position embedding.
    public var positionParameter: Parameter? { positionEmbedding }
    /// The parameters of the final norm.
    public var finalParameters: [Parameter] { finalNorm.parameters }
    /// The dropout rates, including that of the adapter.
    public var dropout: DropoutRates { settings.dropout.with(adapter) }
    /// The name of the sequence classifier in Transformers.
    public var classifierArchitecture: String? { "GPT2ForSequenceClassification" }
    /// Whether the output projection is the token embedding.
    public var isTied: Bool { settings.tiesEmbeddings }
    /// The parameters of one layer.
    public func parameters(ofLayer index: Int) -> [Parameter] { blocks[index].parameters }
    /// True for the four matrices of each layer, which checkpoints store as [inputs, outputs].
    public func isStoredTransposed(_ parameter: Parameter) -> Bool {
        blocks.contains { block in
            [block.attention, block.output, block.up, block.down].contains { $0.weight === parameter }
        }
    }

    /// The sum of token and position embeddings: [T, C].
    public func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor {
        tokenEmbedding.on(tape).embedding(of: ids) + positionEmbedding.on(tape).embedding(of: positions)
    }

    /// The factor of the products of queries and keys in a layer.
    private func scale(ofLayer index: Int) -> Float {
        let dim = Float(settings.hiddenSize / settings.heads)
        return (settings.scalesByHeadDim ? 1 / dim.squareRoot() : 1) / (settings.scalesByLayer ? Float(index + 1) : 1)
    }

    /// Applies one layer: hidden states of all rows [T, C] to those of the wanted rows [R, C].
    public func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        let block = blocks[index]
        let width = settings.hiddenSize

        let all = block.attention(block.attentionNorm(states, on: tape), in: context, on: tape)  // [T, 3C]
        let queries = context.selected(all.columns(0..<width))  // [R, C]
        let keys = all.columns(width..<2 * width)
        let values = all.columns(2 * width..<3 * width)
        let mixed = context.attention(
            queries, keys, values, layer: index, heads: settings.heads, keyHeads: settings.heads,
            scores: AttentionScores(scale: scale(ofLayer: index)), dropout: dropout.attention)
        func dropped(_ x: Tensor, _ site: DropoutSite) -> Tensor {
            context.dropped(x, site, layer: index, rate: dropout.residual)
        }
        let middle = context.selected(states) + dropped(block.output(mixed, in: context, on: tape), .attentionOutput)

        let inner = block.up(block.feedForwardNorm(middle, on: tape), in: context, on: tape)  // [R, F]
        return middle + dropped(block.down(settings.activation(inner), in: context, on: tape), .feedForwardOutput)
    }

    /// Applies the final norm: [R, C].
    public func finish(_ states: Tensor, on tape: Tape?) -> Tensor { finalNorm(states, on: tape) }

    /// A model of the same configuration with other weights.
    /// - Throws: errors of `weights`.
    public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder { try GPT2(settings, weights: weights) }

    /// The configuration, with the keys of Hugging Face's config.json.
    public func configuration() -> JSONValue {
        [
            "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
            "vocab_size": JSONValue(settings.vocabularySize),
            "n_embd": JSONValue(settings.hiddenSize), "n_inner": JSONValue(settings.feedForwardSize),
            "n_layer": JSONValue(settings.layerCount), "n_head": JSONValue(settings.heads),
            "n_positions": JSONValue(settings.contextLength), "n_ctx": JSONValue(settings.contextLength),
            "activation_function": .string(settings.activation.rawValue),
            "layer_norm_epsilon": JSONValue(settings.normEpsilon),
            "scale_attn_weights": .bool(settings.scalesByHeadDim),
            "scale_attn_by_inverse_layer_idx": .bool(settings.scalesByLayer),
            "tie_word_embeddings": .bool(settings.tiesEmbeddings),
            "embd_pdrop": JSONValue(settings.dropout.embedding), "attn_pdrop": JSONValue(settings.dropout.attention),
            "resid_pdrop": JSONValue(settings.dropout.residual),
            "initializer_range": JSONValue(settings.initializerRange),
        ]
    }
}

extension GPT2Configuration {
    /// Reads a config.json with model_type gpt2.
    ///
    /// `reorder_and_upcast_attn` is accepted but has no effect: it requests scores in 32-bit floats, which are always used.
    /// - Throws: ``ModelError`` for values that are missing, invalid or not supported.
    public init(reading file: ConfigurationReader) throws {
        guard try !file.flag("add_cross_attention", or: false) else {
            throw ModelError.unsupported("cross-attention (add_cross_attention) in a GPT-2 model")
        }
        _ = try file.flag("reorder_and_upcast_attn", or: false)
        let hidden = try file.count("n_embd", or: "hidden_size")
        let heads = try file.count("n_head", or: "num_attention_heads")
        guard hidden % heads == 0 else {
            throw ModelError.configuration(key: "n_head", problem: "(\(heads)) must divide n_embd (\(hidden))")
        }
        self.init(
            vocabularySize: try file.count("vocab_size"), hiddenSize: hidden,
            feedForwardSize: try file.optionalCount("n_inner"), layerCount: try file.layerCount("n_layer", or: "num_hidden_layers"),
            heads: heads,
            contextLength: try file.optionalCount("n_positions") ?? file.optionalCount("max_position_embeddings") ?? file.optionalCount(
                "n_ctx") ?? 1024,
            normEpsilon: try file.positiveNumber("layer_norm_epsilon") ?? 1e-5,
            activation: try Activation(reading: "activation_function", of: file, or: .geluNew),
            scalesByHeadDim: try file.flag("scale_attn_weights", or: true),
            scalesByLayer: try file.flag("scale_attn_by_inverse_layer_idx", or: false),
            tiesEmbeddings: try file.flag("tie_word_embeddings", or: true),
            dropout: DropoutRates(
                embedding: try file.dropoutRate("embd_pdrop", or: 0.1),
                attention: try file.dropoutRate("attn_pdrop", or: 0.1),
                residual: try file.dropoutRate("resid_pdrop", or: 0.1)),
            initializerRange: try file.optionalNumber("initializer_range") ?? 0.02)
    }
}
