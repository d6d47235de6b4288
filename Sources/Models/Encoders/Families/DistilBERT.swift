import Tensor

extension EncoderFamily {
    /// DistilBERT (Sanh et al. 2019): BERT with other weight names, without token types and pooler.
    public static let distilBERT = EncoderFamily(
        "distilbert", prefix: "distilbert", otherHeads: ["vocab_transform", "vocab_layer_norm", "vocab_projector", "pre_classifier"],
        head: { file, weights, labels in
            try .twoLayers(weights, "pre_classifier", "classifier", width: keys.width(file), labels: labels) { $0.relu() }
        },
        plan: { file in
            let settings = try EncoderSettings(reading: file, keys.found(in: file))
            let names = EncoderSettings.LayerNames(
                query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin", output: "attention.out_lin",
                attentionNorm: "sa_layer_norm", up: "ffn.lin1", down: "ffn.lin2", outputNorm: "output_layer_norm")
            return EncoderPlan(settings.shape(context: settings.positions)) { weights in
                StackedEncoder.Parts(
                    embedding: try settings.embedding(weights, types: 0),
                    layers: try (0..<settings.layers).map { try settings.layer(weights.below("transformer.layer.\($0)"), names) })
            }
        })

    private static let keys = DistilBERTKeys()
}

/// The keys of DistilBERT's configuration. If only the usual name of another family exists, that one is used.
private struct DistilBERTKeys {
    private func either(_ own: String, _ usual: String, _ file: ConfigurationReader) -> String {
        file.has(own) || !file.has(usual) ? own : usual
    }

    func found(in file: ConfigurationReader) -> EncoderSettings.Keys {
        EncoderSettings.Keys(
            hidden: either("dim", "hidden_size", file), inner: either("hidden_dim", "intermediate_size", file),
            layers: either("n_layers", "num_hidden_layers", file), heads: either("n_heads", "num_attention_heads", file),
            activation: either("activation", "hidden_act", file), epsilon: nil)
    }

    func width(_ file: ConfigurationReader) throws -> Int { try file.count(found(in: file).hidden) }
}
