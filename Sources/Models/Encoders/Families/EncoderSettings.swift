import Tensor

/// The settings that most encoders have in common, and the layer that BERT and related models share.
public struct EncoderSettings {
    /// Keys of config.json that differ between families.
    struct Keys {
        var hidden = "hidden_size"
        var inner = "intermediate_size"
        var layers = "num_hidden_layers"
        var heads = "num_attention_heads"
        var activation = "hidden_act"
        var epsilon: String? = "layer_norm_eps"
    }

    /// The number of rows of the token embedding.
    var vocabulary: Int
    /// The width of the hidden states.
    var hidden: Int
    /// The hidden width of the feed-forward part.
    var inner: Int
    /// The number of layers.
    var layers: Int
    /// The number of attention heads.
    var heads: Int
    /// `max_position_embeddings`: the number of rows of the position embedding, if there is one.
    var positions: Int
    /// The epsilon of norms, which is added to the variance.
    var epsilon: Double
    /// The activation function of the feed-forward part.
    var activation: Activation

    /// Reads the settings from a configuration.
    /// - Parameters:
    ///   - file: the configuration.
    ///   - keys: the keys of the family.
    ///   - positions: the default of `max_position_embeddings`.
    ///   - epsilon: the default epsilon of norms.
    ///   - activation: the default activation function.
    /// - Throws: ``ModelError`` for values that are missing, invalid or not supported.
    init(
        reading file: ConfigurationReader, _ keys: Keys = Keys(), positions: Int = 512, epsilon: Double = 1e-12,
        activation: Activation = .gelu
    ) throws {
        for key in ["is_decoder", "add_cross_attention"] where try file.flag(key, or: false) {
            throw ModelError.unsupported("\(key) in an encoder")
        }
        let kind = try file.optionalString("position_embedding_type") ?? "absolute"
        guard kind == "absolute" else { throw ModelError.unsupported("position_embedding_type '\(kind)' (supported: absolute)") }
        vocabulary = try file.count("vocab_size")
        hidden = try file.count(keys.hidden)
        inner = try file.count(keys.inner)
        layers = try file.layerCount(keys.layers)
        heads = try file.count(keys.heads)
        guard hidden % heads == 0 else {
            throw ModelError.configuration(key: keys.heads, problem: "(\(heads)) must divide \(keys.hidden) (\(hidden))")
        }
        self.positions = try file.optionalCount("max_position_embeddings") ?? positions
        self.epsilon = try keys.epsilon.flatMap(file.positiveNumber) ?? epsilon
        self.activation = try Activation(reading: keys.activation, of: file, or: activation)
    }

    /// The shape of an encoder with a given context length and number of token types.
    func shape(context: Int, types: Int = 0) -> EncoderShape {
        EncoderShape(hiddenSize: hidden, vocabularySize: vocabulary, contextLength: context, typeCount: types)
    }

    /// The context length of RoBERTa: `max_position_embeddings` without the rows up to that of the padding token.
    func contextBehind(padding: Int) throws -> Int {
        guard (0..<positions - 1).contains(padding) else {
            throw ModelError.configuration(
                key: "pad_token_id", problem: "(\(padding)) must be below max_position_embeddings (\(positions)) minus 1")
        }
        return positions - padding - 1
    }

    /// The names of a layer's weights, relative to the layer.
    struct LayerNames {
        var query = "attention.self.query"
        var key = "attention.self.key"
        var value = "attention.self.value"
        var output = "attention.output.dense"
        var attentionNorm = "attention.output.LayerNorm"
        var up = "intermediate.dense"
        var down = "output.dense"
        var outputNorm = "output.LayerNorm"
    }

    /// Creates a layer of BERT's architecture: post-norm, with biases in all projections.
    func layer(
        _ scope: WeightScope, _ names: LayerNames = LayerNames(), positions: EncoderLayer.Positions = .none,
        scores: AttentionScores = .init()
    )
        throws -> EncoderLayer
    {
        EncoderLayer(
            .normsBehind(
                attention: try scope.norm(.layer, names.attentionNorm, width: hidden, epsilon: epsilon),
                feedForward: try scope.norm(.layer, names.outputNorm, width: hidden, epsilon: epsilon)),
            inputs: try [names.query, names.key, names.value].map { try scope.projection($0, hidden, hidden, bias: true) },
            output: try scope.projection(names.output, hidden, hidden, bias: true), heads: heads, positions: positions, scores: scores,
            feedForward: .plain(
                up: try scope.projection(names.up, inner, hidden, bias: true),
                down: try scope.projection(names.down, hidden, inner, bias: true), activation))
    }

    /// Creates an embedding of BERT's architecture: `embeddings`, with tables for tokens, positions and token types, and a norm.
    /// - Parameters:
    ///   - weights: the source of the weights.
    ///   - width: the width of the embeddings. Default: ``hidden``.
    ///   - counting: how tokens are numbered for the position embedding.
    ///   - types: the number of token types; 0 for no table.
    ///   - behind: an operation that follows the norm.
    func embedding(
        _ weights: WeightScope, width: Int? = nil, counting: StackedEncoder.Embedding.Counting = .fromZero, types: Int,
        behind: StackedEncoder.Embedding.Step? = nil
    ) throws -> StackedEncoder.Embedding {
        let (scope, width) = (weights.below("embeddings"), width ?? hidden)
        return StackedEncoder.Embedding(
            tokens: try scope.weight("word_embeddings", [vocabulary, width]),
            positions: try scope.weight("position_embeddings", [positions, width]), counting: counting,
            types: types > 0 ? try scope.weight("token_type_embeddings", [types, width]) : nil,
            steps: [.norm(try scope.norm(.layer, "LayerNorm", width: width, epsilon: epsilon))] + (behind.map { [$0] } ?? []))
    }
}
