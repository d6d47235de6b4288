extension ModelFamily {
    /// Mistral (Jiang et al. 2023): LLaMA with a sliding window in all layers, or in none.
    public static let mistral = ModelFamily("mistral", architecture: "MistralForCausalLM", classifier: "MistralForSequenceClassification") {
        file in
        var settings = try CommonSettings(reading: file, .init(keyHeads: 8, context: 4096 * 32))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        // null means no window; a missing key means the window of the first release
        let window = try file.has("sliding_window") ? file.optionalCount("sliding_window") : 4096
        let (rope, rotaryDim) = try settings.rotary(reading: file)
        let dropout = DropoutRates(attention: try file.dropoutRate("attention_dropout", or: 0))
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .rms) { _, layer in
                let attention = layer.below("self_attn")
                return DecoderLayer(
                    .normsBefore(
                        attention: try layer.norm(.rms, "input_layernorm", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.rms, "post_attention_layernorm", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        try settings.separateInputs(attention), output: try attention.projection("o_proj", hidden, heads.width),
                        heads: heads, rotary: rotary, scores: .init(window: window)),
                    try settings.gatedFeedForward(layer.below("mlp")))
            }
        }
    }
}
