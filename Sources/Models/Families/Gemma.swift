import ShortFloats
import Tensor

extension ModelFamily {
    /// Gemma 2 (Gemma Team 2024): norms before and after attention and MLP, GeGLU, soft caps of scores and logits, and a sliding
    /// window in every other layer.
    public static let gemma2 = ModelFamily("gemma2", architecture: "Gemma2ForCausalLM", classifier: "Gemma2ForSequenceClassification") {
        file in
        let settings = try gemma(file, context: 8192)
        let windows = try settings.windows(reading: file, window(file)) { $0 % 2 == 0 }
        let rope = try RotarySettings(reading: file, contextLength: settings.context)
        let rotaryDim = try settings.rotaryDim()
        try rope.check(dim: rotaryDim)
        return try plan(
            file, settings, scoreCap: cap(file, "attn_logit_softcapping", or: 50), logitCap: cap(file, "final_logit_softcapping", or: 30),
            hasHeadNorms: false
        ) {
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return windows.map { ($0, rotary) }
        }
    }

    /// Gemma 3 for text only (Gemma Team 2025): Gemma 2 with norms of queries and keys instead of soft caps, and rotary positions
    /// with two bases.
    public static let gemma3Text = ModelFamily(
        "gemma3_text", architecture: "Gemma3ForCausalLM", classifier: "Gemma3TextForSequenceClassification", plan: gemma3Plan)

    /// The text decoder of a multimodal Gemma 3; it is saved as ``gemma3Text``.
    public static let gemma3 = ModelFamily("gemma3", textOf: gemma3Text)

    @Sendable private static func gemma3Plan(_ file: ConfigurationReader) throws -> DecoderPlan {
        let settings = try gemma(file, context: 131_072)
        let pattern = try file.optionalCount("sliding_window_pattern") ?? 6
        let windows = try settings.windows(reading: file, window(file)) { ($0 + 1) % pattern != 0 }
        let global = try RotarySettings(
            reading: file, contextLength: settings.context, layerKind: CommonSettings.fullAttention, base: 1_000_000)
        // layers with a window are never scaled, unless rope_parameters has a separate section for them
        let parameters = try file.section("rope_scaling") == nil ? file.section("rope_parameters") : nil
        var local = RotarySettings(base: try file.positiveNumber("rope_local_base_freq") ?? 10_000)
        if let parameters, parameters.hasSections {
            local = try RotarySettings(
                reading: file, contextLength: settings.context, layerKind: CommonSettings.slidingAttention, base: local.base, baseKeys: [])
        }
        let (rotaryDim, localSettings) = (try settings.rotaryDim(), local)
        try global.check(dim: rotaryDim)
        try local.check(dim: rotaryDim)
        return try plan(file, settings, scoreCap: nil, logitCap: cap(file, "final_logit_softcapping", or: nil), hasHeadNorms: true) {
            let (far, near) = (RotaryPositions(global, dim: rotaryDim), RotaryPositions(localSettings, dim: rotaryDim))
            return windows.map { ($0, $0 == nil ? far : near) }
        }
    }

    private static func gemma(_ file: ConfigurationReader, context: Int) throws -> CommonSettings {
        try CommonSettings(
            reading: file,
            .init(
                keyHeads: 4, headDim: 256, context: context, isTied: true, activationKey: "hidden_activation", activation: .geluTanh))
    }

    private static func window(_ file: ConfigurationReader) throws -> Int? {
        try file.has("sliding_window") ? file.optionalCount("sliding_window") : 4096
    }

    private static func cap(_ file: ConfigurationReader, _ key: String, or usual: Float?) throws -> Float? {
        try file.has(key) ? file.positiveFloat(key) : usual
    }

    /// √width, the factor of embeddings, rounded to the type of the folder's weights as in Transformers.
    private static func embeddingScale(_ file: ConfigurationReader, width: Int) throws -> Float {
        let scale = Float(width).squareRoot()
        let key = file.object["dtype"]?.isNull ?? true ? "torch_dtype" : "dtype"
        switch file.object[key]?.string {
        case "bfloat16":
            // read through the reader as well, because the model's computation depends on it
            _ = try file.string(key)
            return FloatConversion.widenBFloat16(FloatConversion.narrowToBFloat16(scale))
        case "float16":
            _ = try file.string(key)
            return FloatConversion.widenFloat16(FloatConversion.narrowToFloat16(scale))
        default: return scale
        }
    }

    /// The plan of a Gemma model, given the window and the rotary positions of every layer.
    private static func plan(
        _ file: ConfigurationReader, _ settings: CommonSettings, scoreCap: Float?, logitCap: Float?, hasHeadNorms: Bool,
        layers: @escaping () -> [(window: Int?, rotary: RotaryPositions)]
    ) throws -> DecoderPlan {
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let scale = 1 / (try file.positiveFloat("query_pre_attn_scalar") ?? 256).squareRoot()
        let bias = try file.flag("attention_bias", or: false)
        let embeddingScale = try embeddingScale(file, width: hidden)
        let dropout = DropoutRates(attention: try file.dropoutRate("attention_dropout", or: 0))
        // EmbeddingGemma: half of the window is on each side
        let isCausal = try !file.flag("use_bidirectional_attention", or: false)
        func scores(_ window: Int?) -> AttentionScores {
            isCausal
                ? AttentionScores(scale: scale, window: window, cap: scoreCap)
                : AttentionScores(scale: scale, neighbourhood: window.map { $0 / 2 + 1 }, cap: scoreCap)
        }
        return DecoderPlan(settings.shape, dropout: dropout, isCausal: isCausal) { weights in
            let kinds = layers()
            return try settings.parts(weights, norm: .rmsPlusOne, scale: embeddingScale, cap: logitCap) { index, layer in
                let attention = layer.below("self_attn")
                func norm(_ name: String) throws -> Norm { try layer.norm(.rmsPlusOne, name, width: hidden, epsilon: epsilon) }
                func headNorm(_ name: String) throws -> HeadNorm {
                    .everyHead(try attention.norm(.rmsPlusOne, name, width: heads.dim, epsilon: epsilon))
                }
                return DecoderLayer(
                    .normsAround(
                        beforeAttention: try norm("input_layernorm"), behindAttention: try norm("post_attention_layernorm"),
                        beforeFeedForward: try norm("pre_feedforward_layernorm"), behindFeedForward: try norm("post_feedforward_layernorm")),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: bias),
                        output: try attention.projection("o_proj", hidden, heads.width, bias: bias), heads: heads,
                        norms: hasHeadNorms ? (try headNorm("q_norm"), try headNorm("k_norm")) : nil, rotary: kinds[index].rotary,
                        scores: scores(kinds[index].window)),
                    try settings.gatedFeedForward(layer.below("mlp")))
            }
        }
    }
}
