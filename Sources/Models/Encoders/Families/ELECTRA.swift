import Tensor

extension EncoderFamily {
    /// ELECTRA (Clark et al. 2020): BERT whose embeddings may have a different width.
    public static let electra = EncoderFamily(
        "electra", prefix: "electra", otherHeads: ["discriminator_predictions", "generator_predictions", "generator_lm_head"],
        head: { file, weights, labels in
            try .twoLayers(weights, "classifier.dense", "classifier.out_proj", width: file.count("hidden_size"), labels: labels) {
                $0.gelu()
            }
        },
        plan: { file in
            let settings = try EncoderSettings(reading: file)
            let types = try file.optionalCount("type_vocab_size") ?? 2
            let width = try file.optionalCount("embedding_size") ?? 128
            return EncoderPlan(settings.shape(context: settings.positions, types: types)) { weights in
                let widened: StackedEncoder.Embedding.Step? =
                    width == settings.hidden
                    ? nil : .projection(try weights.projection("embeddings_project", settings.hidden, width, bias: true))
                return StackedEncoder.Parts(
                    embedding: try settings.embedding(weights, width: width, types: types, behind: widened),
                    layers: try (0..<settings.layers).map { try settings.layer(weights.below("encoder.layer.\($0)")) })
            }
        })
}
