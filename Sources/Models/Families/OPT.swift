import Formats
public import Tensor

/// The configuration of an OPT model. ``StackedDecoder/configuration()`` of an ``OPT`` returns it with the keys of Hugging Face's
/// config.json.
public struct OPTConfiguration: Sendable, Equatable {
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
    /// The width of the token embeddings and of the output projection's input (`word_embed_proj_dim`). If it differs from
    /// `hiddenSize`, two matrices project between the widths (512 and 1024 in the 350m model).
    public var embeddingSize: Int
    /// Whether layers are pre-norm (all sizes except 350m) or post-norm (350m).
    public var normalisesBefore: Bool
    /// Whether the final norm, which only pre-norm models have, is omitted.
    public var removesFinalNorm: Bool
    /// Whether the projections have a bias.
    public var hasBiases: Bool
    /// Whether the norms have a weight and a bias.
    public var normsAreAffine: Bool
    /// The activation function of the MLPs.
    public var activation: Activation
    /// Whether the output projection is the token embedding.
    public var tiesEmbeddings: Bool
    /// The dropout rates for training: of attention weights (`attention_dropout`) and of the outputs of attention and MLP
    /// (`dropout`).
    public var dropout: DropoutRates
    /// The standard deviation of newly initialised weights.
    public var initializerRange: Double

    /// Creates a configuration. The defaults are those of OPT.
    public init(
        vocabularySize: Int, hiddenSize: Int, feedForwardSize: Int, layerCount: Int, heads: Int,
        contextLength: Int = 2048,
        embeddingSize: Int? = nil, normalisesBefore: Bool = true, removesFinalNorm: Bool = false,
        hasBiases: Bool = true,
        normsAreAffine: Bool = true, activation: Activation = .relu, tiesEmbeddings: Bool = true,
        dropout: DropoutRates = DropoutRates(residual: 0.1), initializerRange: Double = 0.02
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.feedForwardSize = feedForwardSize
        self.layerCount = layerCount
        self.heads = heads
        self.contextLength = contextLength
        self.embeddingSize = embeddingSize ?? hiddenSize
        self.normalisesBefore = normalisesBefore
        self.removesFinalNorm = removesFinalNorm
        self.hasBiases = hasBiases
        self.normsAreAffine = normsAreAffine
        self.activation = activation
        self.tiesEmbeddings = tiesEmbeddings
        self.dropout = dropout
        self.initializerRange = initializerRange
    }
}

/// An OPT decoder (Zhang et al. 2022): learned position embeddings, LayerNorm before or after attention and MLP, and ReLU.
public final class OPT: StackedDecoder {
    /// The configuration of the model.
    public let settings: OPTConfiguration

    /// Creates a model with weights from `source`: a checkpoint or random initialisation.
    /// - Throws: errors of `source`.
    public init(_ settings: OPTConfiguration, weights source: any WeightSource) throws {
        self.settings = settings
        try super.init(
            settings.shape, dropout: settings.dropout, configuration: settings.json, classifier: "OPTForSequenceClassification",
            weights: source, assembly: settings.parts)
    }

    /// The parameters of one layer, in the order of the state dictionary: keys, values, queries, output, norm, MLP, norm.
    override public func parameters(ofLayer index: Int) -> [Parameter] {
        let layer = layers[index]
        guard case .separate(let query, let key, let value) = layer.attention.inputs else { return layer.parameters }
        let (attention, norms) = (key.parameters + value.parameters + query.parameters, layer.order.parameters)
        return attention + layer.attention.output.parameters + norms.attention + layer.feedForward.parameters + norms.feedForward
    }

    /// A model of the same configuration with other weights.
    /// - Throws: errors of `weights`.
    override public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder {
        try OPT(settings, weights: weights)
    }
}

extension OPTConfiguration {
    /// Position p is row p + 2 of the position embedding; the original implementation reserved the first two rows for padding.
    private static let positionOffset: Int32 = 2
    private static let normEpsilon = 1e-5

    fileprivate var shape: DecoderShape {
        DecoderShape(
            hiddenSize: hiddenSize, layerCount: layerCount, heads: heads, keyHeads: heads, headDim: hiddenSize / heads,
            vocabularySize: vocabularySize, contextLength: contextLength, headWidth: embeddingSize)
    }

    fileprivate func parts(_ weights: any WeightSource) throws -> StackedDecoder.Parts {
        let (all, model) = (WeightScope(weights), WeightScope(weights, "model.decoder"))
        let isProjected = embeddingSize != hiddenSize
        let tokens = try model.weight("embed_tokens", [vocabularySize, embeddingSize])
        let positions = try model.weight("embed_positions", [contextLength + Int(Self.positionOffset), hiddenSize])
        let projectIn = isProjected ? try model.projection("project_in", hiddenSize, embeddingSize) : nil
        let layers = try (0..<layerCount).map { try layer(model.below("layers.\($0)")) }
        let finalNorm = normalisesBefore && !removesFinalNorm ? try norm(model, "final_layer_norm") : nil
        let projectOut = isProjected ? try model.projection("project_out", embeddingSize, hiddenSize) : nil
        return StackedDecoder.Parts(
            embedding: .init(tokens: tokens, projection: projectIn, positions: positions, positionOffset: Self.positionOffset),
            layers: layers, norm: finalNorm,
            output: .init(
                projection: projectOut, weight: tiesEmbeddings ? tokens : try all.weight("lm_head", [vocabularySize, embeddingSize])))
    }

    private func layer(_ scope: WeightScope) throws -> DecoderLayer {
        let attention = scope.below("self_attn")
        func square(_ name: String) throws -> Projection { try attention.projection(name, hiddenSize, hiddenSize, bias: hasBiases) }
        let first = try norm(scope, "self_attn_layer_norm")
        let mixing = SelfAttention(
            .separate(query: try square("q_proj"), key: try square("k_proj"), value: try square("v_proj")),
            output: try square("out_proj"), heads: .init(heads, dim: hiddenSize / heads))
        let second = try norm(scope, "final_layer_norm")
        return DecoderLayer(
            normalisesBefore ? .normsBefore(attention: first, feedForward: second) : .normsOfSums(attention: first, feedForward: second),
            mixing,
            .plain(
                up: try scope.projection("fc1", feedForwardSize, hiddenSize, bias: hasBiases),
                down: try scope.projection("fc2", hiddenSize, feedForwardSize, bias: hasBiases), activation))
    }

    private func norm(_ scope: WeightScope, _ name: String) throws -> Norm {
        try scope.norm(normsAreAffine ? .layer : .layerWithoutParameters, name, width: hiddenSize, epsilon: Self.normEpsilon)
    }

    /// The configuration, with the keys of Hugging Face's config.json.
    fileprivate var json: JSONValue {
        [
            "architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": JSONValue(vocabularySize),
            "hidden_size": JSONValue(hiddenSize), "ffn_dim": JSONValue(feedForwardSize),
            "num_hidden_layers": JSONValue(layerCount), "num_attention_heads": JSONValue(heads),
            "max_position_embeddings": JSONValue(contextLength),
            "word_embed_proj_dim": JSONValue(embeddingSize),
            "do_layer_norm_before": .bool(normalisesBefore),
            "_remove_final_layer_norm": .bool(removesFinalNorm), "enable_bias": .bool(hasBiases),
            "layer_norm_elementwise_affine": .bool(normsAreAffine),
            "activation_function": .string(activation.rawValue),
            "tie_word_embeddings": .bool(tiesEmbeddings), "dropout": JSONValue(dropout.residual),
            "attention_dropout": JSONValue(dropout.attention), "init_std": JSONValue(initializerRange),
        ]
    }
}

extension OPTConfiguration {
    /// Reads a config.json with model_type opt.
    /// - Throws: ``ModelError`` for values that are missing, invalid or not supported.
    public init(reading file: ConfigurationReader) throws {
        let hidden = try file.count("hidden_size")
        let heads = try file.count("num_attention_heads")
        guard hidden % heads == 0 else {
            throw ModelError.configuration(
                key: "num_attention_heads", problem: "(\(heads)) must divide hidden_size (\(hidden))")
        }
        self.init(
            vocabularySize: try file.count("vocab_size"), hiddenSize: hidden,
            feedForwardSize: try file.count("ffn_dim"),
            layerCount: try file.layerCount("num_hidden_layers"), heads: heads,
            contextLength: try file.optionalCount("max_position_embeddings") ?? 2048,
            embeddingSize: try file.optionalCount("word_embed_proj_dim"),
            normalisesBefore: try file.flag("do_layer_norm_before", or: true),
            removesFinalNorm: try file.flag("_remove_final_layer_norm", or: false),
            hasBiases: try file.flag("enable_bias", or: true),
            normsAreAffine: try file.flag("layer_norm_elementwise_affine", or: true),
            activation: try Activation(reading: "activation_function", of: file, or: .relu),
            tiesEmbeddings: try file.flag("tie_word_embeddings", or: true),
            dropout: DropoutRates(
                attention: try file.dropoutRate("attention_dropout", or: 0),
                residual: try file.dropoutRate("dropout", or: 0.1)),
            initializerRange: try file.optionalNumber("init_std") ?? 0.02)
    }
}
