import Tensor

extension EncoderFamily {
    /// ALBERT (Lan et al. 2020): BERT with token embeddings of a smaller width, and layers that share their weights.
    public static let albert = EncoderFamily(
        "albert", prefix: "albert", otherHeads: ["predictions", "sop_classifier"],
        head: { file, weights, labels in
            try .twoLayers(weights, "pooler", "classifier", width: file.count("hidden_size"), labels: labels) { $0.tanh() }
        },
        plan: { file in
            let settings = try EncoderSettings(reading: file, activation: .geluNew)
            let types = try file.optionalCount("type_vocab_size") ?? 2
            let width = try file.optionalCount("embedding_size") ?? 128
            let groups = try file.optionalCount("num_hidden_groups") ?? 1
            let inner = try file.optionalCount("inner_group_num") ?? 1
            guard groups <= settings.layers, inner <= 10_000 else {
                throw ModelError.configuration(
                    key: groups <= settings.layers ? "inner_group_num" : "num_hidden_groups",
                    problem: "is \(groups <= settings.layers ? inner : groups), too many for \(settings.layers) layers")
            }
            let names = EncoderSettings.LayerNames(
                query: "attention.query", key: "attention.key", value: "attention.value", output: "attention.dense",
                attentionNorm: "attention.LayerNorm", up: "ffn", down: "ffn_output", outputNorm: "full_layer_layer_norm")
            return EncoderPlan(settings.shape(context: settings.positions, types: types)) { weights in
                let widened = try weights.projection("encoder.embedding_hidden_mapping_in", settings.hidden, width, bias: true)
                let embedding = try settings.embedding(weights, width: width, types: types, behind: .projection(widened))
                let shared = try (0..<groups).map { group in
                    try (0..<inner).map {
                        try settings.layer(weights.below("encoder.albert_layer_groups.\(group).albert_layers.\($0)"), names)
                    }
                }
                return StackedEncoder.Parts(
                    embedding: embedding,
                    layers: (0..<settings.layers).flatMap { shared[Int(Double($0) / (Double(settings.layers) / Double(groups)))] })
            }
        })
}
