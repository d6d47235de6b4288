extension ModelFamily {
    /// OLMo 2 (OLMo Team 2024): norms after attention and MLP, and one norm each for all queries and all keys.
    public static let olmo2 = ModelFamily("olmo2", architecture: "Olmo2ForCausalLM", classifier: "Olmo2ForSequenceClassification") { file in
        var settings = try CommonSettings(reading: file, .init(epsilon: 1e-5))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let bias = try file.flag("attention_bias", or: false)
        let (rope, rotaryDim) = try settings.rotary(reading: file)
        let dropout = DropoutRates(attention: try file.dropoutRate("attention_dropout", or: 0))
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .rms) { _, layer in
                let attention = layer.below("self_attn")
                return DecoderLayer(
                    .normsBehind(
                        attention: try layer.norm(.rms, "post_attention_layernorm", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.rms, "post_feedforward_layernorm", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: bias),
                        output: try attention.projection("o_proj", hidden, heads.width, bias: bias), heads: heads,
                        norms: (
                            .allHeads(try attention.norm(.rms, "q_norm", width: heads.width, epsilon: epsilon)),
                            .allHeads(try attention.norm(.rms, "k_norm", width: heads.keyWidth, epsilon: epsilon))
                        ), rotary: rotary),
                    try settings.gatedFeedForward(layer.below("mlp")))
            }
        }
    }
}
