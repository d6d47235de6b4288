extension ModelFamily {
    /// GPT-J (Wang & Komatsuzaki 2021): one LayerNorm per layer, attention and MLP in parallel, and rotary positions of
    /// neighbouring channels.
    public static let gptJ = ModelFamily("gptj", architecture: "GPTJForCausalLM", classifier: "GPTJForSequenceClassification") { file in
        let (vocabulary, hidden) = (try file.count("vocab_size"), try file.count("n_embd", or: "hidden_size"))
        let (layerCount, headCount) = (
            try file.layerCount("n_layer", or: "num_hidden_layers"), try file.count("n_head", or: "num_attention_heads")
        )
        guard hidden % headCount == 0 else {
            throw ModelError.configuration(key: "n_head", problem: "(\(headCount)) must divide n_embd (\(hidden))")
        }
        let heads = SelfAttention.Heads(headCount, dim: hidden / headCount)
        let inner = try file.optionalCount("n_inner") ?? 4 * hidden
        let context = try file.optionalCount("n_positions") ?? file.optionalCount("max_position_embeddings") ?? 2048
        let rotaryDim = try file.has("rotary_dim") ? file.optionalCount("rotary_dim") ?? heads.dim : 64
        guard rotaryDim % 2 == 0, rotaryDim <= heads.dim else {
            throw ModelError.configuration(
                key: "rotary_dim", problem: "(\(rotaryDim)) must be even and at most the \(heads.dim) channels of a head")
        }
        let epsilon = try file.positiveNumber("layer_norm_epsilon") ?? 1e-5
        let activation = try Activation(reading: "activation_function", of: file, or: .geluNew)
        let isTied = try file.flag("tie_word_embeddings", or: false)
        let dropout = DropoutRates(
            embedding: try file.dropoutRate("embd_pdrop", or: 0), attention: try file.dropoutRate("attn_pdrop", or: 0),
            residual: try file.dropoutRate("resid_pdrop", or: 0))
        let shape = DecoderShape(
            hiddenSize: hidden, layerCount: layerCount, heads: headCount, keyHeads: headCount, headDim: heads.dim,
            vocabularySize: vocabulary,
            contextLength: context, headWidth: hidden)
        return DecoderPlan(shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(RotarySettings(), dim: rotaryDim, pairs: .neighbours)
            let (all, model) = (WeightScope(weights), WeightScope(weights, "transformer"))
            let tokens = try model.weight("wte", [vocabulary, hidden])
            let layers = try (0..<layerCount).map { index in
                let layer = model.below("h.\(index)")
                return DecoderLayer(
                    .parallel(attention: try layer.norm(.layer, "ln_1", width: hidden, epsilon: epsilon), feedForward: nil),
                    SelfAttention(
                        .separate(
                            query: try layer.projection("attn.q_proj", hidden, hidden),
                            key: try layer.projection("attn.k_proj", hidden, hidden),
                            value: try layer.projection("attn.v_proj", hidden, hidden)),
                        output: try layer.projection("attn.out_proj", hidden, hidden), heads: heads, rotary: rotary),
                    .plain(
                        up: try layer.projection("mlp.fc_in", inner, hidden, bias: true),
                        down: try layer.projection("mlp.fc_out", hidden, inner, bias: true), activation))
            }
            return StackedDecoder.Parts(
                embedding: .init(tokens: tokens), layers: layers, norm: try model.norm(.layer, "ln_f", width: hidden, epsilon: epsilon),
                output: .init(
                    weight: isTied ? tokens : try all.weight("lm_head", [vocabulary, hidden]), bias: try all.bias("lm_head", vocabulary)))
        }
    }
}
