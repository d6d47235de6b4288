public import Formats
import Tensor

/// The configuration of a LLaMA-family model, with the names of Hugging Face's config.json in ``Llama/configuration()``.
public struct LlamaConfiguration: Sendable, Equatable {
    /// Rows of the token embedding: the ids that the model knows.
    public var vocabularySize: Int
    /// The width of the hidden states.
    public var hiddenSize: Int
    /// The width inside of the MLPs.
    public var intermediateSize: Int
    /// How many layers there are.
    public var layerCount: Int
    /// Attention heads of the queries.
    public var heads: Int
    /// Attention heads of keys and values; each serves `heads / keyHeads` heads of the queries.
    public var keyHeads: Int
    /// Channels of a head.
    public var headDim: Int
    /// The longest sequence, in tokens.
    public var contextLength: Int
    /// What the norms add to the variance.
    public var normEpsilon: Double
    /// How positions are rotated into queries and keys.
    public var rope: RotarySettings
    /// Whether the token embedding is the output projection, too.
    public var tiesEmbeddings: Bool
    /// Whether the projections of attention have biases.
    public var attentionBias: Bool
    /// Whether the projections of the MLPs have biases.
    public var mlpBias: Bool
    /// The share of the weights of keys that training drops.
    public var attentionDropout: Double
    /// The standard deviation of freshly made weights.
    public var initializerRange: Double

    /// `max_position_embeddings`: the context, unless dynamic scaling stretches that beyond it.
    var trainedLength: Int {
        if case .dynamic(_, let trained) = rope.scaling { trained } else { contextLength }
    }

    /// A configuration; what is left out has LLaMA's own value.
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

    /// The numbers in all weights of such a model, before it is built. Not an `Int`, which a configuration can exceed.
    public var parameterCount: Double {
        let (hidden, inner) = (Double(hiddenSize), Double(intermediateSize))
        let (queries, keys) = (Double(heads) * Double(headDim), Double(keyHeads) * Double(headDim))
        let attention = 2 * hidden * (queries + keys) + (attentionBias ? queries + 2 * keys + hidden : 0)
        let mlp = 3 * hidden * inner + (mlpBias ? 2 * inner + hidden : 0)
        return Double(layerCount) * (attention + mlp + 2 * hidden)
            + (tiesEmbeddings ? 1 : 2) * Double(vocabularySize) * hidden + hidden
    }
}

/// A LLaMA decoder (Touvron et al. 2023): RMSNorm, rotary positions, grouped-query attention, SwiGLU.
public final class Llama: StackedDecoder {
    /// The configuration that the model was built with.
    public let settings: LlamaConfiguration

    /// A model whose weights come from `source`: a checkpoint or a random initialisation.
    /// - Throws: what `source` throws for a weight.
    public init(_ settings: LlamaConfiguration, weights source: any WeightSource) throws {
        self.settings = settings
        try super.init(
            settings.shape, dropout: DropoutRates(attention: settings.attentionDropout), configuration: settings.json,
            classifier: "LlamaForSequenceClassification", weights: source, assembly: settings.parts)
    }

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

    /// The settings with the names of Hugging Face's config.json.
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
    /// Reads a config.json of model_type llama, as Transformers 4 and 5 write it.
    /// - Throws: ``ModelError`` for a key that is missing, makes no sense, or asks for something that is not here.
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
