import Formats
import Tensor

/// The configuration of a LLaMA model. ``StackedDecoder/configuration()`` of a ``Llama`` returns it with the keys of Hugging
/// Face's config.json.
public struct LlamaConfiguration: Sendable, Equatable {
    /// V, the number of rows of the token embedding.
    public var vocabularySize: Int
    /// C, the width of the hidden states.
    public var hiddenSize: Int
    /// F, the hidden width of the MLPs.
    public var intermediateSize: Int
    /// The number of layers.
    public var layerCount: Int
    /// NH, the number of query heads.
    public var heads: Int
    /// KH, the number of key/value heads; each serves `heads / keyHeads` query heads.
    public var keyHeads: Int
    /// D, the number of channels of a head.
    public var headDim: Int
    /// The maximum number of tokens of a sequence.
    public var contextLength: Int
    /// The epsilon of norms, which is added to the mean square.
    public var normEpsilon: Double
    /// The settings of the rotary position embedding.
    public var rope: RotarySettings
    /// Whether the output projection is the token embedding.
    public var tiesEmbeddings: Bool
    /// Whether the projections of attention have a bias.
    public var attentionBias: Bool
    /// Whether the projections of the MLPs have a bias.
    public var mlpBias: Bool
    /// The dropout rate of attention weights in training.
    public var attentionDropout: Double
    /// The standard deviation of newly initialised weights.
    public var initializerRange: Double

    /// `max_position_embeddings`: the context length, or the length before dynamic scaling has extended it.
    var trainedLength: Int {
        if case .dynamic(_, let trained) = rope.scaling { trained } else { contextLength }
    }

    /// Creates a configuration. The defaults are those of LLaMA.
    public init(
        vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int, heads: Int, keyHeads: Int? = nil,
        headDim: Int? = nil, contextLength: Int = 2048, normEpsilon: Double = 1e-6, rope: RotarySettings = RotarySettings(),
        tiesEmbeddings: Bool = false, attentionBias: Bool = false, mlpBias: Bool = false, attentionDropout: Double = 0,
        initializerRange: Double = 0.02
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.heads = heads
        self.keyHeads = keyHeads ?? heads
        self.headDim = headDim ?? hiddenSize / max(1, heads)
        self.contextLength = contextLength
        self.normEpsilon = normEpsilon
        self.rope = rope
        self.tiesEmbeddings = tiesEmbeddings
        self.attentionBias = attentionBias
        self.mlpBias = mlpBias
        self.attentionDropout = attentionDropout
        self.initializerRange = initializerRange
    }

    /// The number of weights of such a model, computed without building it. It is not an `Int`, because a configuration may
    /// exceed its range.
    public var parameterCount: Double {
        let (hidden, inner) = (Double(hiddenSize), Double(intermediateSize))
        let (queries, keys) = (Double(heads) * Double(headDim), Double(keyHeads) * Double(headDim))
        let attention = 2 * hidden * (queries + keys) + (attentionBias ? queries + 2 * keys + hidden : 0)
        let mlp = 3 * hidden * inner + (mlpBias ? 2 * inner + hidden : 0)
        return Double(layerCount) * (attention + mlp + 2 * hidden)
            + (tiesEmbeddings ? 1 : 2) * Double(vocabularySize) * hidden + hidden
    }
}

/// A LLaMA decoder (Touvron et al. 2023): RMSNorm, rotary positions, grouped-query attention and SwiGLU.
public final class Llama: StackedDecoder {
    /// The configuration of the model.
    public let settings: LlamaConfiguration

    /// Creates a model with weights from `source`: a checkpoint or random initialisation.
    /// - Throws: errors of `source`.
    public init(_ settings: LlamaConfiguration, weights source: any WeightSource) throws {
        self.settings = settings
        try super.init(
            settings.shape, dropout: DropoutRates(attention: settings.attentionDropout), configuration: settings.json,
            classifier: "LlamaForSequenceClassification", weights: source, assembly: settings.parts)
    }

    /// A model of the same configuration with other weights.
    /// - Throws: errors of `weights`.
    override public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder {
        try Llama(settings, weights: weights)
    }
}

extension LlamaConfiguration {
    fileprivate var shape: DecoderShape {
        DecoderShape(
            hiddenSize: hiddenSize, layerCount: layerCount, heads: heads, keyHeads: keyHeads, headDim: headDim,
            vocabularySize: vocabularySize,
            contextLength: contextLength, headWidth: hiddenSize)
    }

    fileprivate func parts(_ weights: any WeightSource) throws -> StackedDecoder.Parts {
        let (all, model) = (WeightScope(weights), WeightScope(weights, "model"))
        let tokens = try model.weight("embed_tokens", [vocabularySize, hiddenSize])
        let heads = SelfAttention.Heads(heads, keys: keyHeads, dim: headDim)
        let rotary = RotaryPositions(rope, dim: headDim)
        let layers = try (0..<layerCount).map { index in
            let layer = model.below("layers.\(index)")
            let (attention, mlp) = (layer.below("self_attn"), layer.below("mlp"))
            return DecoderLayer(
                .normsBefore(
                    attention: try layer.norm(.rms, "input_layernorm", width: hiddenSize, epsilon: normEpsilon),
                    feedForward: try layer.norm(.rms, "post_attention_layernorm", width: hiddenSize, epsilon: normEpsilon)),
                SelfAttention(
                    .separate(
                        query: try attention.projection("q_proj", heads.width, hiddenSize, bias: attentionBias),
                        key: try attention.projection("k_proj", heads.keyWidth, hiddenSize, bias: attentionBias),
                        value: try attention.projection("v_proj", heads.keyWidth, hiddenSize, bias: attentionBias)),
                    output: try attention.projection("o_proj", hiddenSize, heads.width, bias: attentionBias), heads: heads, rotary: rotary),
                .gated(
                    gate: try mlp.projection("gate_proj", intermediateSize, hiddenSize, bias: mlpBias),
                    up: try mlp.projection("up_proj", intermediateSize, hiddenSize, bias: mlpBias),
                    down: try mlp.projection("down_proj", hiddenSize, intermediateSize, bias: mlpBias), .silu))
        }
        return StackedDecoder.Parts(
            embedding: .init(tokens: tokens), layers: layers,
            norm: try model.norm(.rms, "norm", width: hiddenSize, epsilon: normEpsilon),
            output: .init(weight: tiesEmbeddings ? tokens : try all.weight("lm_head", [vocabularySize, hiddenSize])))
    }

    /// The configuration, with the keys of Hugging Face's config.json.
    var json: JSONValue {
        var result: JSONValue = [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama",
            "vocab_size": JSONValue(vocabularySize), "hidden_size": JSONValue(hiddenSize),
            "intermediate_size": JSONValue(intermediateSize),
            "num_hidden_layers": JSONValue(layerCount), "num_attention_heads": JSONValue(heads),
            "num_key_value_heads": JSONValue(keyHeads), "head_dim": JSONValue(headDim),
            "max_position_embeddings": JSONValue(trainedLength),
            "rms_norm_eps": JSONValue(normEpsilon),
            "hidden_act": "silu", "tie_word_embeddings": .bool(tiesEmbeddings),
            "attention_bias": .bool(attentionBias), "mlp_bias": .bool(mlpBias),
            "initializer_range": JSONValue(initializerRange), "rope_theta": JSONValue(rope.base),
        ]
        if attentionDropout > 0 { result["attention_dropout"] = JSONValue(attentionDropout) }
        result["rope_scaling"] = rope.scalingConfiguration()
        return result
    }
}

extension LlamaConfiguration {
    /// Reads a config.json with model_type llama, as written by Transformers 4 or 5.
    /// - Throws: ``ModelError`` for values that are missing, invalid or not supported.
    public init(reading file: ConfigurationReader) throws {
        let activation = try file.optionalString("hidden_act") ?? "silu"
        guard activation == "silu" else { throw ModelError.unsupported("hidden_act '\(activation)' in a LLaMA model") }
        let heads = try file.count("num_attention_heads")
        let keyHeads = try file.optionalCount("num_key_value_heads") ?? heads
        guard heads % keyHeads == 0 else {
            throw ModelError.configuration(key: "num_key_value_heads", problem: "must divide num_attention_heads (\(heads))")
        }
        var context = try file.optionalCount("max_position_embeddings") ?? 2048
        let rope = try RotarySettings(reading: file, contextLength: context)
        if case .longRoPE(_, _, _, let trained) = rope.scaling { context = min(context, trained) }
        if case .dynamic(let factor, _) = rope.scaling { context = Int(min(Double(context) * max(factor, 1), 0x1p31)) }
        self.init(
            vocabularySize: try file.count("vocab_size"), hiddenSize: try file.count("hidden_size"),
            intermediateSize: try file.count("intermediate_size"), layerCount: try file.layerCount("num_hidden_layers"),
            heads: heads, keyHeads: keyHeads, headDim: try file.optionalCount("head_dim"), contextLength: context,
            normEpsilon: try file.positiveNumber("rms_norm_eps") ?? 1e-6, rope: rope,
            tiesEmbeddings: try file.flag("tie_word_embeddings", or: false),
            attentionBias: try file.flag("attention_bias", or: false), mlpBias: try file.flag("mlp_bias", or: false),
            attentionDropout: try file.dropoutRate("attention_dropout", or: 0),
            initializerRange: try file.optionalNumber("initializer_range") ?? 0.02)
        guard headDim > 0, headDim % 2 == 0 else {
            throw ModelError.configuration(key: "head_dim", problem: "is \(headDim); rotary positions need an even number")
        }
        try rope.check(dim: headDim)
    }
}
