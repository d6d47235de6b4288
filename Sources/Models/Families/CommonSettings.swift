public import Tensor

/// The settings that most families have, read under the keys that most families use.
public struct CommonSettings {
    /// Rows of the token embedding: the ids that the model knows.
    public var vocabulary: Int
    /// The width of the hidden states.
    public var hidden: Int
    /// The width inside of the feed-forward halves.
    public var inner: Int
    /// How many layers there are.
    public var layers: Int
    /// The heads of attention.
    public var heads: SelfAttention.Heads
    /// The longest sequence, in tokens.
    public var context: Int
    /// What norms add to the variance.
    public var epsilon: Double
    /// Whether the token embedding is the output projection, too.
    public var isTied: Bool
    /// The function inside of the feed-forward halves.
    public var activation: Activation

    /// Where families differ in keys and in what an absent one means.
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

        /// What differs from LLaMA.
        /// - Parameters:
        ///   - keyHeads: heads of keys where the file does not say; nil for as many as of queries.
        ///   - headDim: channels of a head where the file does not say; nil for hidden / heads.
        ///   - readsHeadDim: whether the file may say how many channels a head has.
        ///   - readsKeyHeads: whether the file may say how many heads of keys there are.
        ///   - context: the longest sequence where the file does not say.
        ///   - epsilonKey: the key of what norms add to the variance; `epsilon` where it is absent.
        ///   - isTied: whether embedding and output projection are one where the file does not say.
        ///   - activationKey: the key of the activation; `activation` where it is absent.
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

    /// Reads the settings of a config.json.
    /// - Throws: ``ModelError`` for what is missing or impossible.
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

    /// The numbers that do not depend on the family.
    public var shape: DecoderShape {
        DecoderShape(
            hiddenSize: hidden, layerCount: layers, heads: heads.queries, keyHeads: heads.keys, headDim: heads.dim,
            vocabularySize: vocabulary, contextLength: context, headWidth: hidden)
    }

    /// The channels of a head that rotary positions turn: ⌊D · share⌋, and one more where that is odd.
    public func rotaryDim(share: Double = 1) throws -> Int {
        guard share <= 1 else {
            throw ModelError.configuration(
                key: "partial_rotary_factor", problem: "is \(share); it is a share of a head's channels, at most 1")
        }
        let dim = Int(Double(heads.dim) * share)
        guard dim > 0, (dim + 1) / 2 * 2 <= heads.dim else {
            throw ModelError.configuration(key: "head_dim", problem: "is \(heads.dim); rotary positions turn pairs of a head's channels")
        }
        return dim
    }

    /// The rotary positions that the file asks for, and how many channels of a head they turn. A LongRoPE model's context becomes the length that it was
    /// trained for first: beyond it, all keys of a cache would have to be turned anew.
    public mutating func rotary(
        reading file: ConfigurationReader, base: Double = 10_000, baseKeys: [String] = ["rope_theta"], share: Double = 1
    ) throws -> (settings: RotarySettings, dim: Int) {
        let rope = try RotarySettings(reading: file, contextLength: context, base: base, baseKeys: baseKeys)
        let dim = try rotaryDim(share: share)
        try rope.check(dim: dim)
        if case .longRoPE(_, _, _, let trained) = rope.scaling { context = min(context, trained) }
        return (rope, dim)
    }

    /// The window of every layer, nil for none, by `layer_types` or, without it, by the family's rule.
    public func windows(reading file: ConfigurationReader, _ window: Int?, slides: (Int) -> Bool) throws -> [Int?] {
        guard let kinds = try file.optionalStrings("layer_types") else { return (0..<layers).map { slides($0) ? window : nil } }
        guard kinds.count == layers else {
            throw ModelError.configuration(key: "layer_types", problem: "has \(kinds.count) kinds for \(layers) layers")
        }
        return try kinds.map { kind in
            switch kind {
            case Self.fullAttention: return nil
            case Self.slidingAttention:
                guard let window else {
                    throw ModelError.configuration(key: "sliding_window", problem: "is missing, and layer_types has layers with a window")
                }
                return window
            default: throw ModelError.unsupported("layers of type '\(kind)' (layer_types)")
            }
        }
    }

    static let fullAttention = "full_attention"
    static let slidingAttention = "sliding_attention"

    /// Three projections of the heads, `q_proj`, `k_proj` and `v_proj`.
    public func separateInputs(_ scope: WeightScope, bias: Bool = false) throws -> SelfAttention.Inputs {
        .separate(
            query: try scope.projection("q_proj", heads.width, hidden, bias: bias),
            key: try scope.projection("k_proj", heads.keyWidth, hidden, bias: bias),
            value: try scope.projection("v_proj", heads.keyWidth, hidden, bias: bias))
    }

    /// `gate_proj`, `up_proj` and `down_proj`.
    public func gatedFeedForward(_ scope: WeightScope, bias: Bool = false) throws -> FeedForward {
        .gated(
            gate: try scope.projection("gate_proj", inner, hidden, bias: bias),
            up: try scope.projection("up_proj", inner, hidden, bias: bias),
            down: try scope.projection("down_proj", hidden, inner, bias: bias), activation)
    }

    /// The whole of a decoder whose weights have LLaMA's names: `model.embed_tokens`, `model.layers`, `model.norm` and `lm_head`.
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
