import Tensor

extension EncoderFamily {
    /// MPNet (Song et al. 2020): RoBERTa's positions, and a relative bias that all layers add to their scores.
    public static let mpnet = EncoderFamily("mpnet", prefix: "mpnet", otherHeads: [], head: robertaHead) { file in
        let settings = try EncoderSettings(reading: file)
        // fixed, regardless of pad_token_id
        let padding = 1
        let context = try settings.contextBehind(padding: padding)
        let buckets = try file.optionalCount("relative_attention_num_buckets") ?? RelativeBias.rows
        guard buckets >= RelativeBias.rows else {
            throw ModelError.configuration(
                key: "relative_attention_num_buckets", problem: "is \(buckets); it must be at least \(RelativeBias.rows)")
        }
        let names = EncoderSettings.LayerNames(
            query: "attention.attn.q", key: "attention.attn.k", value: "attention.attn.v", output: "attention.attn.o",
            attentionNorm: "attention.LayerNorm")
        return EncoderPlan(settings.shape(context: context)) { weights in
            let bias = RelativeBias(try weights.weight("encoder.relative_attention_bias", [buckets, settings.heads]))
            return StackedEncoder.Parts(
                embedding: try settings.embedding(weights, counting: .behindPadding(padding), types: 0),
                layers: try (0..<settings.layers).map {
                    try settings.layer(weights.below("encoder.layer.\($0)"), names, positions: .relative(bias))
                })
        }
    }
}
