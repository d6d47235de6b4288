import Tensor

extension ModelFamily {
    /// BLOOM (Le Scao et al. 2022): ALiBi instead of position embeddings, a norm of the token embeddings, and fused projections
    /// of query, key and value for each head.
    public static let bloom = ModelFamily("bloom", architecture: "BloomForCausalLM", classifier: "BloomForSequenceClassification") { file in
        let vocabulary = try file.count("vocab_size")
        let hidden = try file.optionalCount("n_embed") ?? file.count("hidden_size")
        let (layerCount, headCount) = (
            try file.layerCount("n_layer", or: "num_hidden_layers"), try file.count("n_head", or: "num_attention_heads")
        )
        guard hidden % headCount == 0 else {
            throw ModelError.configuration(key: "n_head", problem: "(\(headCount)) must divide hidden_size (\(hidden))")
        }
        let heads = SelfAttention.Heads(headCount, dim: hidden / headCount)
        let epsilon = try file.positiveNumber("layer_norm_epsilon") ?? 1e-5
        let addsToNormed = try file.flag("apply_residual_connection_post_layernorm", or: false)
        let isTied = try file.flag("tie_word_embeddings", or: true)
        let dropout = DropoutRates(
            attention: try file.dropoutRate("attention_dropout", or: 0), residual: try file.dropoutRate("hidden_dropout", or: 0))
        // positions are unlimited; Transformers' configuration does not specify a limit
        let shape = DecoderShape(
            hiddenSize: hidden, layerCount: layerCount, heads: headCount, keyHeads: headCount, headDim: heads.dim,
            vocabularySize: vocabulary,
            contextLength: try file.optionalCount("seq_length") ?? 2048, headWidth: hidden)
        let slopes = AttentionScores.alibiSlopes(heads: headCount)
        return DecoderPlan(shape, dropout: dropout) { weights in
            let (all, model) = (WeightScope(weights), WeightScope(weights, "transformer"))
            let tokens = try model.weight("word_embeddings", [vocabulary, hidden])
            let embeddingNorm = try model.norm(.layer, "word_embeddings_layernorm", width: hidden, epsilon: epsilon)
            let layers = try (0..<layerCount).map { index in
                let layer = model.below("h.\(index)")
                let first = try layer.norm(.layer, "input_layernorm", width: hidden, epsilon: epsilon)
                let second = try layer.norm(.layer, "post_attention_layernorm", width: hidden, epsilon: epsilon)
                return DecoderLayer(
                    addsToNormed
                        ? .normsBeforeAndInSum(attention: first, feedForward: second) : .normsBefore(attention: first, feedForward: second),
                    SelfAttention(
                        .fusedByHead(try layer.projection("self_attention.query_key_value", 3 * hidden, hidden, bias: true)),
                        output: try layer.projection("self_attention.dense", hidden, hidden, bias: true), heads: heads,
                        scores: .init(slopes: slopes)),
                    .plain(
                        up: try layer.projection("mlp.dense_h_to_4h", 4 * hidden, hidden, bias: true),
                        down: try layer.projection("mlp.dense_4h_to_h", hidden, 4 * hidden, bias: true), .geluTanh))
            }
            return StackedDecoder.Parts(
                embedding: .init(tokens: tokens, norm: embeddingNorm), layers: layers,
                norm: try model.norm(.layer, "ln_f", width: hidden, epsilon: epsilon),
                output: .init(weight: isTied ? tokens : try all.weight("lm_head", [vocabulary, hidden])))
        }
    }
}

extension AttentionScores {
    /// The slopes of ALiBi (Press et al. 2022). With n the greatest power of two up to `heads`, slope k (from 1) of the first n
    /// heads is 2^(−8k/n). The remaining heads use every second slope of a model with 2n heads.
    static func alibiSlopes(heads: Int) -> [Float] {
        var whole = 1
        while whole * 2 <= heads { whole *= 2 }
        func slope(_ exponent: Double) -> Float { Float(power(2, -exponent)) }
        return (0..<heads).map { head in
            head < whole ? slope(8 * Double(head + 1) / Double(whole)) : slope(4 * Double(2 * (head - whole) + 1) / Double(whole))
        }
    }
}
