extension ModelFamily {
    /// StableLM 2 and 3B (Bellagente et al. 2024): LLaMA with LayerNorm, and rotary positions in a part of each head.
    public static let stableLM = ModelFamily(
        "stablelm", architecture: "StableLmForCausalLM", classifier: "StableLmForSequenceClassification"
    ) { file in
        var settings = try CommonSettings(
            reading: file, .init(keyHeads: 32, readsHeadDim: false, context: 4096, epsilonKey: "layer_norm_eps", epsilon: 1e-5))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let (bias, isParallel) = (try file.flag("use_qkv_bias", or: false), try file.flag("use_parallel_residual", or: false))
        let hasHeadNorms = try file.flag("qk_layernorm", or: false)
        let (rope, rotaryDim) = try settings.rotary(reading: file, share: file.rotaryShare(or: 0.25))
        let dropout = DropoutRates(
            attention: try file.dropoutRate("attention_dropout", or: 0), residual: try file.dropoutRate("hidden_dropout", or: 0))
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .layer) { _, layer in
                let attention = layer.below("self_attn")
                func headNorms(_ name: String, _ count: Int) throws -> HeadNorm {
                    .eachHead(
                        try (0..<count).map {
                            try attention.norm(.layerWithoutBias, "\(name).norms.\($0)", width: heads.dim, epsilon: epsilon)
                        })
                }
                func norm(_ name: String) throws -> Norm { try layer.norm(.layer, name, width: hidden, epsilon: epsilon) }
                return DecoderLayer(
                    try isParallel
                        ? .parallel(attention: norm("input_layernorm"), feedForward: nil)
                        : .normsBefore(attention: norm("input_layernorm"), feedForward: norm("post_attention_layernorm")),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: bias), output: try attention.projection("o_proj", hidden, heads.width),
                        heads: heads,
                        norms: hasHeadNorms
                            ? (try headNorms("q_layernorm", heads.queries), try headNorms("k_layernorm", heads.keys)) : nil,
                        rotary: rotary),
                    try settings.gatedFeedForward(layer.below("mlp")), dropsAttention: false)
            }
        }
    }
}
