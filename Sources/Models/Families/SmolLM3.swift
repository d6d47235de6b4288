extension ModelFamily {
    /// SmolLM 3: LLaMA in which every fourth layer has no rotary positions.
    public static let smolLM3 = ModelFamily("smollm3", architecture: "SmolLM3ForCausalLM", classifier: "SmolLM3ForSequenceClassification") {
        file in
        var settings = try CommonSettings(reading: file, .init(keyHeads: 4, context: 32768, isTied: true))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let (bias, innerBias) = (try file.flag("attention_bias", or: false), try file.flag("mlp_bias", or: false))
        let turns = try turningLayers(file, count: settings.layers)
        let slides = try file.flag("use_sliding_window", or: false)
        let windows = try settings.windows(reading: file, file.optionalCount("sliding_window")) { slides && !turns[$0] }
        let (rope, rotaryDim) = try settings.rotary(reading: file, base: 2_000_000)
        let dropout = DropoutRates(attention: try file.dropoutRate("attention_dropout", or: 0))
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .rms) { index, layer in
                let attention = layer.below("self_attn")
                return DecoderLayer(
                    .normsBefore(
                        attention: try layer.norm(.rms, "input_layernorm", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.rms, "post_attention_layernorm", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: bias),
                        output: try attention.projection("o_proj", hidden, heads.width, bias: bias), heads: heads,
                        rotary: turns[index] ? rotary : nil, scores: .init(window: windows[index])),
                    try settings.gatedFeedForward(layer.below("mlp"), bias: innerBias))
            }
        }
    }

    /// Which layers have rotary positions. (In `no_rope_layers`, 1 stands for layers that have them.)
    private static func turningLayers(_ file: ConfigurationReader, count: Int) throws -> [Bool] {
        guard let list = try file.optionalList("no_rope_layers") else {
            let interval = try file.optionalCount("no_rope_layer_interval") ?? 4
            return (0..<count).map { ($0 + 1) % interval != 0 }
        }
        let flags = list.compactMap(\.int)
        guard flags.count == count, flags.count == list.count else {
            throw ModelError.configuration(key: "no_rope_layers", problem: "must have 0 or 1 for each of \(count) layers")
        }
        return flags.map { $0 != 0 }
    }
}
