extension ModelFamily {
    /// GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023): LayerNorm, attention and MLP in parallel, and fused
    /// projections of query, key and value for each head.
    public static let gptNeoX = ModelFamily(
        "gpt_neox", architecture: "GPTNeoXForCausalLM", classifier: "GPTNeoXForSequenceClassification"
    ) { file in
        var settings = try CommonSettings(
            reading: file, .init(readsHeadDim: false, readsKeyHeads: false, epsilonKey: "layer_norm_eps", epsilon: 1e-5, activation: .gelu))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let isParallel = try file.flag("use_parallel_residual", or: true)
        let bias = try file.flag("attention_bias", or: true)
        let section = try file.section("rope_scaling") ?? file.section("rope_parameters")
        let share = try section?.positiveNumber("partial_rotary_factor") ?? file.positiveNumber("rotary_pct") ?? 0.25
        let (rope, rotaryDim) = try settings.rotary(reading: file, baseKeys: ["rotary_emb_base"], share: share)
        let residual = try file.dropoutRate("hidden_dropout", or: 0)
        let dropout = DropoutRates(
            embedding: residual, attention: try file.dropoutRate("attention_dropout", or: 0), residual: residual)
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            let (all, model) = (WeightScope(weights), WeightScope(weights, "gpt_neox"))
            let tokens = try model.weight("embed_in", [settings.vocabulary, hidden])
            let layers = try (0..<settings.layers).map { index in
                let layer = model.below("layers.\(index)")
                let first = try layer.norm(.layer, "input_layernorm", width: hidden, epsilon: epsilon)
                let second = try layer.norm(.layer, "post_attention_layernorm", width: hidden, epsilon: epsilon)
                return DecoderLayer(
                    isParallel ? .parallel(attention: first, feedForward: second) : .normsBefore(attention: first, feedForward: second),
                    SelfAttention(
                        .fusedByHead(try layer.projection("attention.query_key_value", 3 * hidden, hidden, bias: bias)),
                        output: try layer.projection("attention.dense", hidden, hidden, bias: bias), heads: heads, rotary: rotary),
                    .plain(
                        up: try layer.projection("mlp.dense_h_to_4h", settings.inner, hidden, bias: true),
                        down: try layer.projection("mlp.dense_4h_to_h", hidden, settings.inner, bias: true), settings.activation))
            }
            return StackedDecoder.Parts(
                embedding: .init(tokens: tokens), layers: layers,
                norm: try model.norm(.layer, "final_layer_norm", width: hidden, epsilon: epsilon),
                output: .init(weight: settings.isTied ? tokens : try all.weight("embed_out", [settings.vocabulary, hidden])))
        }
    }
}
