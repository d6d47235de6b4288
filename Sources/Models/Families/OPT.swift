public import Formats
public import Tensor

/// The configuration of an OPT model. ``OPT/configuration()`` returns it with the keys of Hugging Face's config.json.
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
public final class OPT: TransformerDecoder {
    /// The weights of one layer.
    private struct Block {
        var attentionNorm: LayerNormalisation
        var query: Projection
        var key: Projection
        var value: Projection
        var output: Projection
        var feedForwardNorm: LayerNormalisation
        var up: Projection
        var down: Projection

        var parameters: [Parameter] {
            key.parameters + value.parameters + query.parameters + output.parameters + attentionNorm.parameters
                + up.parameters + down.parameters + feedForwardNorm.parameters
        }
    }

    /// Position p is row p + 2 of the position embedding; the original implementation reserved the first two rows for padding.
    private static let positionOffset: Int32 = 2
    private static let normEpsilon = 1e-5

    /// The configuration of the model.
    public let settings: OPTConfiguration
    private let tokenEmbedding: Parameter
    private let positionEmbedding: Parameter
    private let projectIn: Projection?
    private let blocks: [Block]
    private let finalNorm: LayerNormalisation?
    private let projectOut: Projection?
    /// The output projection: [V, embedding size].
    public let projection: Parameter
    /// The adapter; nil for none.
    public let adapter: Adapter?

    /// Creates a model with weights from `source`: a checkpoint or random initialisation.
    /// - Throws: errors of `source`.
    public init(_ settings: OPTConfiguration, weights source: some WeightSource) throws {
        let (hidden, narrow) = (settings.hiddenSize, settings.embeddingSize)
        func norm(_ name: String) throws -> LayerNormalisation {
            try LayerNormalisation(
                source, "model.decoder.\(name)", width: hidden, affine: settings.normsAreAffine,
                epsilon: Self.normEpsilon)
        }
        func projection(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool) throws -> Projection {
            try Projection(source, "model.decoder.\(name)", outputs: outputs, inputs: inputs, bias: bias)
        }
        self.settings = settings
        tokenEmbedding = try source.parameter("model.decoder.embed_tokens.weight", [settings.vocabularySize, narrow])
        positionEmbedding = try source.parameter(
            "model.decoder.embed_positions.weight", [settings.contextLength + Int(Self.positionOffset), hidden])
        projectIn = narrow == hidden ? nil : try projection("project_in", hidden, narrow, bias: false)
        blocks = try (0..<settings.layerCount).map { index in
            let bias = settings.hasBiases
            return Block(
                attentionNorm: try norm("layers.\(index).self_attn_layer_norm"),
                query: try projection("layers.\(index).self_attn.q_proj", hidden, hidden, bias: bias),
                key: try projection("layers.\(index).self_attn.k_proj", hidden, hidden, bias: bias),
                value: try projection("layers.\(index).self_attn.v_proj", hidden, hidden, bias: bias),
                output: try projection("layers.\(index).self_attn.out_proj", hidden, hidden, bias: bias),
                feedForwardNorm: try norm("layers.\(index).final_layer_norm"),
                up: try projection("layers.\(index).fc1", settings.feedForwardSize, hidden, bias: bias),
                down: try projection("layers.\(index).fc2", hidden, settings.feedForwardSize, bias: bias))
        }
        finalNorm = settings.normalisesBefore && !settings.removesFinalNorm ? try norm("final_layer_norm") : nil
        projectOut = narrow == hidden ? nil : try projection("project_out", narrow, hidden, bias: false)
        self.projection =
            settings.tiesEmbeddings
            ? tokenEmbedding : try source.parameter("lm_head.weight", [settings.vocabularySize, narrow])
        adapter = source.adapter?.finished()
    }

    /// The dimensions of the decoder.
    public var shape: DecoderShape {
        DecoderShape(
            hiddenSize: settings.hiddenSize, layerCount: settings.layerCount, heads: settings.heads,
            keyHeads: settings.heads, headDim: settings.hiddenSize / settings.heads,
            vocabularySize: settings.vocabularySize,
            contextLength: settings.contextLength, headWidth: settings.embeddingSize)
    }
    /// The token embedding, the position embedding and the projection to the hidden size, if there is one.
    public var embeddingParameters: [Parameter] {
        [tokenEmbedding, positionEmbedding] + (projectIn?.parameters ?? [])
    }
    /// The learned position embedding.
    public var positionParameter: Parameter? { positionEmbedding }
    /// The parameters of the final norm and of the projection to the embedding size, if there are any.
    public var finalParameters: [Parameter] { (finalNorm?.parameters ?? []) + (projectOut?.parameters ?? []) }
    /// The dropout rates, including that of the adapter.
    public var dropout: DropoutRates { settings.dropout.with(adapter) }
    /// The name of the sequence classifier in Transformers.
    public var classifierArchitecture: String? { "OPTForSequenceClassification" }
    /// Whether the output projection is the token embedding.
    public var isTied: Bool { settings.tiesEmbeddings }
    /// The parameters of one layer.
    public func parameters(ofLayer index: Int) -> [Parameter] { blocks[index].parameters }

    /// The sum of token embeddings, projected to the hidden size, and position embeddings: [T, C].
    public func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor {
        let tokens = tokenEmbedding.on(tape).embedding(of: ids)  // [T, E]
        let places = positionEmbedding.on(tape).embedding(of: positions.map { $0 + Self.positionOffset })  // [T, C]
        return (projectIn.map { $0(tokens, on: tape) } ?? tokens) + places
    }

    /// Applies one layer: hidden states of all rows [T, C] to those of the wanted rows [R, C].
    public func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        let block = blocks[index]
        let before = settings.normalisesBefore

        let input = before ? block.attentionNorm(states, on: tape) : states  // [T, C]
        let queries = block.query(context.selected(input), in: context, on: tape)  // [R, C]
        let keys = block.key(input, in: context, on: tape)
        let values = block.value(input, in: context, on: tape)
        let mixed = context.attention(
            queries, keys, values, layer: index, heads: settings.heads, keyHeads: settings.heads,
            dropout: dropout.attention)
        func dropped(_ x: Tensor, _ site: DropoutSite) -> Tensor {
            context.dropped(x, site, layer: index, rate: dropout.residual)
        }
        let sum = context.selected(states) + dropped(block.output(mixed, in: context, on: tape), .attentionOutput)
        let middle = before ? sum : block.attentionNorm(sum, on: tape)

        let inner = before ? block.feedForwardNorm(middle, on: tape) : middle
        let widened = settings.activation(block.up(inner, in: context, on: tape))
        let result = middle + dropped(block.down(widened, in: context, on: tape), .feedForwardOutput)
        return before ? result : block.feedForwardNorm(result, on: tape)
    }

    /// Applies the final norm and the projection to the embedding size, if there are any: [R, embedding size].
    public func finish(_ states: Tensor, on tape: Tape?) -> Tensor {
        let normed = finalNorm.map { $0(states, on: tape) } ?? states
        return projectOut.map { $0(normed, on: tape) } ?? normed
    }

    /// A model of the same configuration with other weights.
    /// - Throws: errors of `weights`.
    public func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder { try OPT(settings, weights: weights) }

    /// The configuration, with the keys of Hugging Face's config.json.
    public func configuration() -> JSONValue {
        [
            "architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": JSONValue(settings.vocabularySize),
            "hidden_size": JSONValue(settings.hiddenSize), "ffn_dim": JSONValue(settings.feedForwardSize),
            "num_hidden_layers": JSONValue(settings.layerCount), "num_attention_heads": JSONValue(settings.heads),
            "max_position_embeddings": JSONValue(settings.contextLength),
            "word_embed_proj_dim": JSONValue(settings.embeddingSize),
            "do_layer_norm_before": .bool(settings.normalisesBefore),
            "_remove_final_layer_norm": .bool(settings.removesFinalNorm), "enable_bias": .bool(settings.hasBiases),
            "layer_norm_elementwise_affine": .bool(settings.normsAreAffine),
            "activation_function": .string(settings.activation.rawValue),
            "tie_word_embeddings": .bool(settings.tiesEmbeddings), "dropout": JSONValue(settings.dropout.residual),
            "attention_dropout": JSONValue(settings.dropout.attention), "init_std": JSONValue(settings.initializerRange),
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
