import Tensor

extension EncoderFamily {
    /// ModernBERT (Warner et al. 2024): pre-norm, rotary positions, GeGLU, and local attention in most layers.
    public static let modernBERT = EncoderFamily(
        "modernbert", prefix: "model", otherHeads: ["head", "decoder"],
        head: { file, weights, labels in
            let width = try file.count("hidden_size")
            let pooling = try file.optionalString("classifier_pooling") ?? "cls"
            guard let pooling = [Pooling.cls, .mean].first(where: { $0.rawValue == pooling }) else {
                throw ModelError.unsupported("classifier_pooling '\(pooling)' (supported: cls, mean)")
            }
            let activation = try Activation(reading: "classifier_activation", of: file, or: .gelu)
            return ClassifierHead(
                pooling: pooling,
                [
                    .dense(
                        try weights.projection("head.dense", width, width, bias: file.flag("classifier_bias", or: false)),
                        then: { activation($0) }),
                    .norm(try weights.norm(norm(file), "head.norm", width: width, epsilon: epsilon(file))),
                    .dense(try weights.projection("classifier", labels, width, bias: true), then: nil),
                ])
        },
        plan: { file in
            let settings = try EncoderSettings(
                reading: file, .init(activation: "hidden_activation", epsilon: "norm_eps"), positions: 8192, epsilon: 1e-5)
            let (hidden, heads) = (settings.hidden, settings.heads)
            let (kind, bias) = (try norm(file), try file.flag("attention_bias", or: false))
            let innerBias = try file.flag("mlp_bias", or: false)
            let neighbourhood = (try file.optionalCount("local_attention") ?? 128) / 2 + 1
            let isLocal = try locality(file, layers: settings.layers)
            let far = try table(file, settings, CommonSettings.fullAttention, "global_rope_theta", base: 160_000)
            let near = try table(
                file, settings, CommonSettings.slidingAttention, "local_rope_theta",
                base: file.object["local_rope_theta"]?.isNull == true ? far.base : 10_000)
            return EncoderPlan(settings.shape(context: settings.positions)) { weights in
                func norm(_ scope: WeightScope, _ name: String) throws -> Norm {
                    try scope.norm(kind, name, width: hidden, epsilon: settings.epsilon)
                }
                let embeddings = weights.below("embeddings")
                return StackedEncoder.Parts(
                    embedding: .init(
                        tokens: try embeddings.weight("tok_embeddings", [settings.vocabulary, hidden]),
                        steps: [.norm(try norm(embeddings, "norm"))]),
                    layers: try isLocal.enumerated().map { index, isLocal in
                        let layer = weights.below("layers.\(index)")
                        return EncoderLayer(
                            .normsBefore(
                                attention: index == 0 ? nil : try norm(layer, "attn_norm"), feedForward: try norm(layer, "mlp_norm")),
                            inputs: [try layer.projection("attn.Wqkv", 3 * hidden, hidden, bias: bias)],
                            output: try layer.projection("attn.Wo", hidden, hidden, bias: bias), heads: heads,
                            positions: .rotary(isLocal ? near.table : far.table),
                            scores: AttentionScores(neighbourhood: isLocal ? neighbourhood : nil),
                            feedForward: .gatedFused(
                                gateAndUp: try layer.projection("mlp.Wi", 2 * settings.inner, hidden, bias: innerBias),
                                down: try layer.projection("mlp.Wo", hidden, settings.inner, bias: innerBias), settings.activation))
                    },
                    norm: try norm(weights, "final_norm"))
            }
        })

    private static func norm(_ file: ConfigurationReader) throws -> Norm.Kind {
        try file.flag("norm_bias", or: false) ? .layer : .layerWithoutBias
    }
    private static func epsilon(_ file: ConfigurationReader) throws -> Double { try file.positiveNumber("norm_eps") ?? 1e-5 }

    /// Which layers use local attention.
    private static func locality(_ file: ConfigurationReader, layers: Int) throws -> [Bool] {
        guard let kinds = try file.optionalStrings("layer_types") else {
            let period = try file.optionalCount("global_attn_every_n_layers") ?? 3
            return (0..<layers).map { $0 % period != 0 }
        }
        guard kinds.count == layers else {
            throw ModelError.configuration(key: "layer_types", problem: "has \(kinds.count) entries for \(layers) layers")
        }
        return try kinds.map { kind in
            guard [CommonSettings.fullAttention, CommonSettings.slidingAttention].contains(kind) else {
                throw ModelError.unsupported("layers of type '\(kind)' (layer_types)")
            }
            return kind == CommonSettings.slidingAttention
        }
    }

    /// The rotary table for one kind of layers, and its base.
    private static func table(
        _ file: ConfigurationReader, _ settings: EncoderSettings, _ kind: String, _ key: String, base: Double
    ) throws -> (table: RotaryTable, base: Double) {
        let rope = try RotarySettings(
            reading: file, contextLength: settings.positions, layerKind: kind, base: base, baseKeys: [key])
        guard rope.trainedLength == nil, settings.positions <= 1 << 20 else {
            throw ModelError.unsupported("length-dependent rotary positions, or more than 2²⁰ positions, in an encoder")
        }
        let dim = settings.hidden / settings.heads
        guard dim % 2 == 0 else {
            throw ModelError.configuration(
                key: "num_attention_heads", problem: "gives \(dim) channels per head; rotary positions need an even number")
        }
        return (RotaryPositions(rope, dim: dim).table(of: settings.positions), rope.base)
    }
}
