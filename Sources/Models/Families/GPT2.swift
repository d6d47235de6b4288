import Formats
public import Tensor

/// The configuration of a GPT-2 model. ``StackedDecoder/configuration()`` of a ``GPT2`` returns it with the keys of Hugging Face's
/// config.json.
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
public final class GPT2: StackedDecoder {
    /// The configuration of the model.
    public let settings: GPT2Configuration

    /// Creates a model with weights from `source`: a checkpoint or random initialisation.
    /// - Throws: errors of `source`.
    public init(_ settings: GPT2Configuration, weights source: any WeightSource) throws {
        self.settings = settings
        try super.init(
            settings.shape, dropout: settings.dropout, configuration: settings.json, classifier: "GPT2ForSequenceClassification",
            weights: source, assembly: settings.parts)
    }

    /// True for the four matrices of each layer, which checkpoints store as [inputs, outputs].
    override public func isStoredTransposed(_ parameter: Parameter) -> Bool {
        layers.contains { layer in
            guard case .fused(let inputs) = layer.attention.inputs, case .plain(let up, let down, _) = layer.feedForward else {
                return false
            }
            return [inputs, layer.attention.output, up, down].contains { $0.weight === parameter }
        }
    }

    /// A model of the same configuration with other weights.
    /// - Throws: errors of `weights`.
    override public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder {
        try GPT2(settings, weights: weights)
    }
}

extension GPT2Configuration {
    fileprivate var shape: DecoderShape {
        DecoderShape(
            hiddenSize: hiddenSize, layerCount: layerCount, heads: heads, keyHeads: heads, headDim: hiddenSize / heads,
            vocabularySize: vocabularySize, contextLength: contextLength, headWidth: hiddenSize)
    }

    fileprivate func parts(_ weights: any WeightSource) throws -> StackedDecoder.Parts {
        let (all, model) = (WeightScope(weights), WeightScope(weights, "transformer"))
        let tokens = try model.weight("wte", [vocabularySize, hiddenSize])
        let positions = try model.weight("wpe", [contextLength, hiddenSize])
        let layers = try (0..<layerCount).map { try layer($0, model.below("h.\($0)")) }
        return StackedDecoder.Parts(
            embedding: .init(tokens: tokens, positions: positions), layers: layers,
            norm: try model.norm(.layer, "ln_f", width: hiddenSize, epsilon: normEpsilon),
            output: .init(weight: tiesEmbeddings ? tokens : try all.weight("lm_head", [vocabularySize, hiddenSize])))
    }

    private func layer(_ index: Int, _ scope: WeightScope) throws -> DecoderLayer {
        func norm(_ name: String) throws -> Norm { try scope.norm(.layer, name, width: hiddenSize, epsilon: normEpsilon) }
        func projection(_ name: String, _ outputs: Int, _ inputs: Int) throws -> Projection {
            try scope.projection(name, outputs, inputs, bias: true, transposed: true)
        }
        let first = try norm("ln_1")
        let attention = SelfAttention(
            .fused(try projection("attn.c_attn", 3 * hiddenSize, hiddenSize)),
            output: try projection("attn.c_proj", hiddenSize, hiddenSize), heads: .init(heads, dim: hiddenSize / heads),
            scores: AttentionScores(scale: scale(ofLayer: index)))
        return DecoderLayer(
            .normsBefore(attention: first, feedForward: try norm("ln_2")), attention,
            .plain(
                up: try projection("mlp.c_fc", feedForwardSize, hiddenSize),
                down: try projection("mlp.c_proj", hiddenSize, feedForwardSize), activation))
    }

    /// The factor of the products of queries and keys in a layer.
    private func scale(ofLayer index: Int) -> Float {
        let dim = Float(hiddenSize / heads)
        return (scalesByHeadDim ? 1 / dim.squareRoot() : 1) / (scalesByLayer ? Float(index + 1) : 1)
    }

    /// The configuration, with the keys of Hugging Face's config.json.
    fileprivate var json: JSONValue {
        [
            "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
            "vocab_size": JSONValue(vocabularySize),
            "n_embd": JSONValue(hiddenSize), "n_inner": JSONValue(feedForwardSize),
            "n_layer": JSONValue(layerCount), "n_head": JSONValue(heads),
            "n_positions": JSONValue(contextLength), "n_ctx": JSONValue(contextLength),
            "activation_function": .string(activation.rawValue),
            "layer_norm_epsilon": JSONValue(normEpsilon),
            "scale_attn_weights": .bool(scalesByHeadDim),
            "scale_attn_by_inverse_layer_idx": .bool(scalesByLayer),
            "tie_word_embeddings": .bool(tiesEmbeddings),
            "embd_pdrop": JSONValue(dropout.embedding), "attn_pdrop": JSONValue(dropout.attention),
            "resid_pdrop": JSONValue(dropout.residual),
            "initializer_range": JSONValue(initializerRange),
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
