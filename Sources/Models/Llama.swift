public import Formats
public import Tensor

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
public final class Llama: TransformerDecoder {
    /// The weights of one layer.
    struct Block {
        var inputNorm: Parameter
        var query: Projection
        var key: Projection
        var value: Projection
        var output: Projection
        var postNorm: Parameter
        var gate: Projection
        var up: Projection
        var down: Projection

        var parameters: [Parameter] {
            [inputNorm] + query.parameters + key.parameters + value.parameters + output.parameters + [postNorm]
                + gate.parameters + up.parameters + down.parameters
        }
    }

    /// The configuration that the model was built with.
    public let settings: LlamaConfiguration
    private let tokenEmbedding: Parameter
    private let blocks: [Block]
    private let norm: Parameter
    /// The output projection: [vocabulary, channels].
    public let projection: Parameter
    private let rotary: RotaryPositions

    /// A model whose weights come from `source`: a checkpoint or a random initialisation.
    /// - Throws: what `source` throws for a weight.
    public init(_ settings: LlamaConfiguration, weights source: some WeightSource) throws {
        let (hidden, queries, keys) = (
            settings.hiddenSize, settings.heads * settings.headDim, settings.keyHeads * settings.headDim
        )
        self.settings = settings
        tokenEmbedding = try source.parameter("model.embed_tokens.weight", [settings.vocabularySize, hidden])
        blocks = try (0..<settings.layerCount).map { index in
            let layer = "model.layers.\(index)"
            func projection(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool) throws -> Projection {
                try Projection(source, "\(layer).\(name)", outputs: outputs, inputs: inputs, bias: bias)
            }
            return Block(
                inputNorm: try source.parameter("\(layer).input_layernorm.weight", [hidden], fresh: .ones),
                query: try projection("self_attn.q_proj", queries, hidden, bias: settings.attentionBias),
                key: try projection("self_attn.k_proj", keys, hidden, bias: settings.attentionBias),
                value: try projection("self_attn.v_proj", keys, hidden, bias: settings.attentionBias),
                output: try projection("self_attn.o_proj", hidden, queries, bias: settings.attentionBias),
                postNorm: try source.parameter("\(layer).post_attention_layernorm.weight", [hidden], fresh: .ones),
                gate: try projection("mlp.gate_proj", settings.intermediateSize, hidden, bias: settings.mlpBias),
                up: try projection("mlp.up_proj", settings.intermediateSize, hidden, bias: settings.mlpBias),
                down: try projection("mlp.down_proj", hidden, settings.intermediateSize, bias: settings.mlpBias))
        }
        norm = try source.parameter("model.norm.weight", [hidden], fresh: .ones)
        projection =
            settings.tiesEmbeddings
            ? tokenEmbedding : try source.parameter("lm_head.weight", [settings.vocabularySize, hidden])
        rotary = RotaryPositions(settings.rope, dim: settings.headDim)
    }

    public var shape: DecoderShape {
        DecoderShape(
            hiddenSize: settings.hiddenSize, layerCount: settings.layerCount, heads: settings.heads,
            keyHeads: settings.keyHeads, headDim: settings.headDim, vocabularySize: settings.vocabularySize,
            contextLength: settings.contextLength, headWidth: settings.hiddenSize)
    }
    public var embeddingParameters: [Parameter] { [tokenEmbedding] }
    public var positionParameter: Parameter? { nil }
    public var finalParameters: [Parameter] { [norm] }
    public var dropout: DropoutRates { DropoutRates(attention: settings.attentionDropout) }
    public var isTied: Bool { settings.tiesEmbeddings }
    public func parameters(ofLayer index: Int) -> [Parameter] { blocks[index].parameters }

    public func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor {
        tokenEmbedding.on(tape).embedding(of: ids)
    }

    public func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        let block = blocks[index]
        let epsilon = Float(settings.normEpsilon)

        let normed = states.rmsNormalised(weight: block.inputNorm.on(tape), epsilon: epsilon)  // [T, C]
        let queries = rotary.rotate(
            block.query(context.selected(normed), on: tape), heads: settings.heads, in: context, wantedOnly: true)  // [R, NH·D]
        let keys = rotary.rotate(
            block.key(normed, on: tape), heads: settings.keyHeads, in: context, wantedOnly: false)  // [T, KH·D]
        let values = block.value(normed, on: tape)
        let mixed = context.attention(
            queries, keys, values, layer: index, heads: settings.heads, keyHeads: settings.keyHeads,
            dropout: dropout.attention)
        let middle = context.selected(states) + block.output(mixed, on: tape)

        let inner = middle.rmsNormalised(weight: block.postNorm.on(tape), epsilon: epsilon)
        let activated = block.gate(inner, on: tape).swiglu(up: block.up(inner, on: tape))  // [R, F]
        return middle + block.down(activated, on: tape)
    }

    public func finish(_ states: Tensor, on tape: Tape?) -> Tensor {
        states.rmsNormalised(weight: norm.on(tape), epsilon: Float(settings.normEpsilon))
    }

    public func copy() -> any TransformerDecoder {
        do {
            return try Llama(settings, weights: CopiedWeights(of: self))
        } catch {
            preconditionFailure("a model always holds its own weights: \(error)")
        }
    }

    public func configuration() -> JSONValue {
        var result: JSONValue = [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama",
            "vocab_size": JSONValue(settings.vocabularySize), "hidden_size": JSONValue(settings.hiddenSize),
            "intermediate_size": JSONValue(settings.intermediateSize),
            "num_hidden_layers": JSONValue(settings.layerCount), "num_attention_heads": JSONValue(settings.heads),
            "num_key_value_heads": JSONValue(settings.keyHeads), "head_dim": JSONValue(settings.headDim),
            "max_position_embeddings": JSONValue(settings.trainedLength),
            "rms_norm_eps": JSONValue(settings.normEpsilon),
            "hidden_act": "silu", "tie_word_embeddings": .bool(settings.tiesEmbeddings),
            "attention_bias": .bool(settings.attentionBias), "mlp_bias": .bool(settings.mlpBias),
            "initializer_range": JSONValue(settings.initializerRange), "rope_theta": JSONValue(settings.rope.base),
        ]
        if settings.attentionDropout > 0 { result["attention_dropout"] = JSONValue(settings.attentionDropout) }
        result["rope_scaling"] = settings.rope.scalingConfiguration()
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
    }
}
