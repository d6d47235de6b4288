import Tensor

/// The settings that most families have in common, read from the keys that most families use.
public struct CommonSettings {
    /// V, the number of rows of the token embedding.
    public var vocabulary: Int
    /// C, the width of the hidden states.
    public var hidden: Int
    /// F, the hidden width of the feed-forward part.
    public var inner: Int
    /// The number of layers.
    public var layers: Int
    /// The number and size of attention heads.
    public var heads: SelfAttention.Heads
    /// The maximum number of tokens of a sequence.
    public var context: Int
    /// The epsilon of norms, which is added to the variance or mean square.
    public var epsilon: Double
    /// Whether the output projection is the token embedding.
    public var isTied: Bool
    /// The activation function of the feed-forward part.
    public var activation: Activation

    /// How a family differs from LLaMA in keys and default values.
    public struct Differences {
        var keyHeads: Int?
        var headDim: Int?
        var readsHeadDim: Bool
        var readsKeyHeads: Bool
        var context: Int
        var epsilonKey: String
        var epsilon: Double
        var isTied: Bool
        var activationKey: String
        var activation: Activation

        /// Creates the differences from LLaMA.
        /// - Parameters:
        ///   - keyHeads: the default number of key/value heads; nil for that of query heads.
        ///   - headDim: the default number of channels of a head; nil for hidden size / heads.
        ///   - readsHeadDim: whether the configuration may specify the channels of a head (`head_dim`).
        ///   - readsKeyHeads: whether the configuration may specify the key/value heads (`num_key_value_heads`).
        ///   - context: the default context length.
        ///   - epsilonKey: the key of the norms' epsilon.
        ///   - epsilon: the default epsilon of norms.
        ///   - isTied: whether embedding and output projection are tied by default.
        ///   - activationKey: the key of the activation function.
        ///   - activation: the default activation function.
        public init(
            keyHeads: Int? = nil, headDim: Int? = nil, readsHeadDim: Bool = true, readsKeyHeads: Bool = true, context: Int = 2048,
            epsilonKey: String = "rms_norm_eps", epsilon: Double = 1e-6, isTied: Bool = false, activationKey: String = "hidden_act",
            activation: Activation = .silu
        ) {
            (self.keyHeads, self.headDim, self.readsHeadDim, self.readsKeyHeads) = (keyHeads, headDim, readsHeadDim, readsKeyHeads)
            (self.context, self.epsilonKey, self.epsilon, self.isTied) = (context, epsilonKey, epsilon, isTied)
            (self.activationKey, self.activation) = (activationKey, activation)
        }
    }

    /// Reads the settings from a config.json.
    /// - Throws: ``ModelError`` for values that are missing or invalid.
    public init(reading file: ConfigurationReader, _ family: Differences = Differences()) throws {
        vocabulary = try file.count("vocab_size")
        hidden = try file.count("hidden_size")
        inner = try file.count("intermediate_size")
        layers = try file.layerCount("num_hidden_layers")
        let queries = try file.count("num_attention_heads")
        let keys = try family.readsKeyHeads && file.has("num_key_value_heads") ? file.optionalCount("num_key_value_heads") : family.keyHeads
        heads = try Self.heads(
            queries, keys: keys ?? queries, hidden: hidden, dim: family.readsHeadDim ? file.optionalCount("head_dim") : nil, family)
        context = try file.optionalCount("max_position_embeddings") ?? family.context
        epsilon = try file.positiveNumber(family.epsilonKey) ?? family.epsilon
        isTied = try file.flag("tie_word_embeddings", or: family.isTied)
        activation = try Activation(reading: family.activationKey, of: file, or: family.activation)
    }

    private static func heads(_ queries: Int, keys: Int, hidden: Int, dim: Int?, _ family: Differences) throws -> SelfAttention.Heads {
        guard queries % keys == 0 else {
            throw ModelError.configuration(key: "num_key_value_heads", problem: "(\(keys)) must divide num_attention_heads (\(queries))")
        }
        guard let dim = dim ?? family.headDim else {
            guard hidden % queries == 0 else {
                throw ModelError.configuration(key: "num_attention_heads", problem: "(\(queries)) must divide hidden_size (\(hidden))")
            }
            return SelfAttention.Heads(queries, keys: keys, dim: hidden / queries)
        }
        return SelfAttention.Heads(queries, keys: keys, dim: dim)
    }

    /// The dimensions of the decoder.
    public var shape: DecoderShape {
        DecoderShape(
            hiddenSize: hidden, layerCount: layers, heads: heads.queries, keyHeads: heads.keys, headDim: heads.dim,
            vocabularySize: vocabulary, contextLength: context, headWidth: hidden)
    }

    /// The number of rotated channels of a head: ⌊D · share⌋. An odd number is valid if one more channel exists.
    /// - Throws: ``ModelError/configuration(key:problem:)`` if the share is above 1 or there are not enough channels.
    public func rotaryDim(share: Double = 1) throws -> Int {
        guard share <= 1 else {
            throw ModelError.configuration(
                key: "partial_rotary_factor", problem: "is \(share); it must be at most 1")
        }
        let dim = Int(Double(heads.dim) * share)
        guard dim > 0, (dim + 1) / 2 * 2 <= heads.dim else {
            throw ModelError.configuration(key: "head_dim", problem: "is \(heads.dim); rotary positions need an even number of channels")
        }
        return dim
    }

    /// Reads the settings of the rotary position embedding, and the number of rotated channels of a head. The context of a
    /// LongRoPE model is limited to its original training length: beyond that, all keys in a cache would have to be rotated
    /// again.
    /// - Parameters:
    ///   - file: the configuration.
    ///   - base: the family's default base.
    ///   - baseKeys: the top-level keys of the base.
    ///   - share: the fraction of a head's channels that are rotated.
    /// - Throws: ``ModelError`` for scaling that is not supported or invalid.
    public mutating func rotary(
        reading file: ConfigurationReader, base: Double = 10_000, baseKeys: [String] = ["rope_theta"], share: Double = 1
    ) throws -> (settings: RotarySettings, dim: Int) {
        let rope = try RotarySettings(reading: file, contextLength: context, base: base, baseKeys: baseKeys)
        let dim = try rotaryDim(share: share)
        try rope.check(dim: dim)
        if case .longRoPE(_, _, _, let trained) = rope.scaling { context = min(context, trained) }
        return (rope, dim)
    }

    /// The sliding window of every layer, nil for none: according to `layer_types` or, if that is missing, `window` in the layers
    /// for which `slides` returns true.
    /// - Throws: ``ModelError`` if `layer_types` is invalid.
    public func windows(reading file: ConfigurationReader, _ window: Int?, slides: (Int) -> Bool) throws -> [Int?] {
        guard let kinds = try file.optionalStrings("layer_types") else { return (0..<layers).map { slides($0) ? window : nil } }
        guard kinds.count == layers else {
            throw ModelError.configuration(key: "layer_types", problem: "has \(kinds.count) entries for \(layers) layers")
        }
        return try kinds.map { kind in
            switch kind {
            case Self.fullAttention: return nil
            case Self.slidingAttention:
                guard let window else {
                    throw ModelError.configuration(key: "sliding_window", problem: "is missing, but layer_types has sliding-window layers")
                }
                return window
            default: throw ModelError.unsupported("layers of type '\(kind)' (layer_types)")
            }
        }
    }

    static let fullAttention = "full_attention"
    static let slidingAttention = "sliding_attention"

    /// Reads the separate projections `q_proj`, `k_proj` and `v_proj`.
    public func separateInputs(_ scope: WeightScope, bias: Bool = false) throws -> SelfAttention.Inputs {
        .separate(
            query: try scope.projection("q_proj", heads.width, hidden, bias: bias),
            key: try scope.projection("k_proj", heads.keyWidth, hidden, bias: bias),
            value: try scope.projection("v_proj", heads.keyWidth, hidden, bias: bias))
    }

    /// Reads a gated MLP: `gate_proj`, `up_proj` and `down_proj`.
    public func gatedFeedForward(_ scope: WeightScope, bias: Bool = false) throws -> FeedForward {
        .gated(
            gate: try scope.projection("gate_proj", inner, hidden, bias: bias),
            up: try scope.projection("up_proj", inner, hidden, bias: bias),
            down: try scope.projection("down_proj", hidden, inner, bias: bias), activation)
    }

    /// Creates all parts of a decoder whose weights are named as in LLaMA: `model.embed_tokens`, `model.layers`, `model.norm` and
    /// `lm_head`.
    /// - Parameters:
    ///   - weights: the source of the weights.
    ///   - norm: the formula of the final norm.
    ///   - scale: a factor of the token embeddings; nil for none.
    ///   - finalNorm: the name of the final norm.
    ///   - outputBias: whether the output projection has a bias.
    ///   - cap: the soft cap of the logits; nil for none.
    ///   - layer: creates the layer with a given index from its weights.
    public func parts(
        _ weights: any WeightSource, norm: Norm.Kind, scale: Float? = nil, finalNorm: String = "norm", outputBias: Bool = false,
        cap: Float? = nil, layer: (Int, WeightScope) throws -> DecoderLayer
    ) throws -> StackedDecoder.Parts {
        let (all, model) = (WeightScope(weights), WeightScope(weights, "model"))
        let tokens = try model.weight("embed_tokens", [vocabulary, hidden])
        let layers = try (0..<layers).map { try layer($0, model.below("layers.\($0)")) }
        return StackedDecoder.Parts(
            embedding: .init(tokens: tokens, scale: scale), layers: layers,
            norm: try model.norm(norm, finalNorm, width: hidden, epsilon: epsilon),
            output: try .init(
                weight: isTied ? tokens : all.weight("lm_head", [vocabulary, hidden]),
                bias: outputBias ? all.bias("lm_head", vocabulary) : nil, cap: cap))
    }
}
