extension ModelFamily {
    /// Qwen 2 and 2.5 (Yang et al. 2024): LLaMA with biases in the projections of queries, keys and values.
    public static let qwen2 = ModelFamily("qwen2", architecture: "Qwen2ForCausalLM", classifier: "Qwen2ForSequenceClassification") {
        try qwen($0, .init(keyHeads: 32, context: 32768), hasHeadNorms: false)
    }

    /// Qwen 3 (Yang et al. 2025): LLaMA with norms of queries and keys in each head.
    public static let qwen3 = ModelFamily("qwen3", architecture: "Qwen3ForCausalLM", classifier: "Qwen3ForSequenceClassification") {
        try qwen($0, .init(keyHeads: 32, headDim: $0.has("head_dim") ? nil : 128, context: 32768), hasHeadNorms: true)
    }

    private static func qwen(
        _ file: ConfigurationReader, _ differences: CommonSettings.Differences, hasHeadNorms: Bool
    ) throws -> DecoderPlan {
        var settings = try CommonSettings(reading: file, differences)
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let bias = try hasHeadNorms ? file.flag("attention_bias", or: false) : true
        // the first layers have no window, unless layer_types says otherwise
        let slides = try file.flag("use_sliding_window", or: false)
        let first = try file.optionalInteger("max_window_layers") ?? 28
        let window = try slides ? (file.has("sliding_window") ? file.optionalCount("sliding_window") : 4096) : nil
        let windows = try settings.windows(reading: file, window) { $0 >= first }
        let (rope, rotaryDim) = try settings.rotary(reading: file)
        let dropout = DropoutRates(attention: try file.dropoutRate("attention_dropout", or: 0))
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .rms) { index, layer in
                let attention = layer.below("self_attn")
                func headNorm(_ name: String) throws -> HeadNorm {
                    .everyHead(try attention.norm(.rms, name, width: heads.dim, epsilon: epsilon))
                }
                return DecoderLayer(
                    .normsBefore(
                        attention: try layer.norm(.rms, "input_layernorm", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.rms, "post_attention_layernorm", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: bias),
                        output: try attention.projection("o_proj", hidden, heads.width, bias: hasHeadNorms && bias), heads: heads,
                        norms: hasHeadNorms ? (try headNorm("q_norm"), try headNorm("k_norm")) : nil, rotary: rotary,
                        scores: .init(window: windows[index])),
                    try settings.gatedFeedForward(layer.below("mlp")))
            }
        }
    }
}
