import Tensor

extension EncoderFamily {
    /// DeBERTa v2 and v3 (He et al. 2021, 2023): disentangled attention, whose scores combine content and relative positions.
    public static let debertaV2 = EncoderFamily(
        "deberta-v2", prefix: "deberta", otherHeads: ["lm_predictions", "mask_predictions"],
        head: { file, weights, labels in
            let width = try file.optionalCount("pooler_hidden_size") ?? file.count("hidden_size")
            guard try width == file.count("hidden_size") else {
                throw ModelError.configuration(key: "pooler_hidden_size", problem: "(\(width)) must equal hidden_size")
            }
            return try .twoLayers(
                weights, "pooler.dense", "classifier", width: width, labels: labels,
                then: function(reading: "pooler_hidden_act", of: file, or: "gelu"))
        },
        plan: { file in
            let settings = try EncoderSettings(reading: file, epsilon: 1e-7)
            let (hidden, types) = (settings.hidden, try file.optionalInteger("type_vocab_size") ?? 0)
            guard (0..<1 << 20).contains(types) else { throw ModelError.configuration(key: "type_vocab_size", problem: "(\(types))") }
            let width = try file.optionalCount("embedding_size") ?? hidden
            let hasPositions = try file.flag("position_biased_input", or: true)
            let relative = try DeBERTaPositions(reading: file, settings)
            let convolution = try DeBERTaConvolution(reading: file)
            if let dim = try file.optionalCount("attention_head_size"), dim * settings.heads != hidden {
                throw ModelError.unsupported("attention_head_size \(dim), which times the number of heads is not hidden_size")
            }
            let names = EncoderSettings.LayerNames(
                query: "attention.self.query_proj", key: "attention.self.key_proj", value: "attention.self.value_proj")
            // without a position embedding, the length is not bounded: the greatest distances share a row
            return EncoderPlan(settings.shape(context: hasPositions ? settings.positions : unbounded, types: types)) { weights in
                let scope = weights.below("embeddings")
                func norm(_ scope: WeightScope) throws -> Norm {
                    try scope.norm(.layer, "LayerNorm", width: hidden, epsilon: settings.epsilon)
                }
                let embedding = StackedEncoder.Embedding(
                    tokens: try scope.weight("word_embeddings", [settings.vocabulary, width]),
                    positions: hasPositions ? try scope.weight("position_embeddings", [settings.positions, width]) : nil,
                    types: types > 0 ? try scope.weight("token_type_embeddings", [types, width]) : nil,
                    steps: (width == hidden ? [] : [.projection(try scope.projection("embed_proj", hidden, width))]) + [
                        .norm(try norm(scope))
                    ])
                let rows = try relative?.rows(weights.below("encoder"), settings)
                let layers = try (0..<settings.layers).map { index in
                    let layer = weights.below("encoder.layer.\(index)")
                    let tables = try rows.flatMap { try relative?.positions($0, layer.below("attention.self"), settings) }
                    return try settings.layer(
                        layer, names, positions: tables.map { .relative($0) } ?? .none,
                        scores: .init(scale: relative?.scale ?? plainScale(file, settings)))
                }
                return StackedEncoder.Parts(
                    embedding: embedding, layers: layers,
                    convolution: try convolution?.made(weights.below("encoder.conv"), settings, norm: norm))
            }
        })

    /// Reads an activation function, which may also be tanh.
    fileprivate static func function(
        reading key: String, of file: ConfigurationReader, or usual: String
    ) throws -> @Sendable (Tensor) -> Tensor {
        if try file.optionalString(key) ?? usual == "tanh" { return { $0.tanh() } }
        let named = try Activation(reading: key, of: file, or: .gelu)
        return { named($0) }
    }

    /// The maximum number of tokens of a text if there is no position embedding.
    private static let unbounded = 1 << 16

    private static func plainScale(_ file: ConfigurationReader, _ settings: EncoderSettings) throws -> Float {
        1 / Float(settings.hidden / settings.heads * (1 + (try DeBERTaPositions.terms(file).count))).squareRoot()
    }
}

/// The settings of relative positions in a DeBERTa configuration.
private struct DeBERTaPositions {
    private let distances: DisentangledPositions.Distances
    private let terms: [String]
    private let sharesProjections: Bool
    private let hasNorm: Bool
    let scale: Float

    /// The terms of the score besides that of content with content: `c2p` and `p2c`.
    static func terms(_ file: ConfigurationReader) throws -> [String] {
        let text = file.object["pos_att_type"]?.array == nil ? try file.optionalString("pos_att_type") : nil
        let names = try text.map { $0.split(separator: "|").map(String.init) } ?? file.optionalStrings("pos_att_type") ?? []
        return try names.map { name in
            let name = String(name.lowercased().filter { $0 != " " })
            guard ["c2p", "p2c"].contains(name) else { throw ModelError.unsupported("pos_att_type '\(name)' (supported: c2p, p2c)") }
            return name
        }
    }

    /// Reads the settings; nil for a model without relative attention.
    init?(reading file: ConfigurationReader, _ settings: EncoderSettings) throws {
        guard try file.flag("relative_attention", or: false) else { return nil }
        let most = try file.optionalInteger("max_relative_positions") ?? -1
        let farthest = most < 1 ? settings.positions : most
        let buckets = try file.optionalInteger("position_buckets") ?? -1
        guard farthest <= 1 << 20, buckets <= farthest, buckets < 1 || (buckets >= 4 && farthest - 1 > buckets / 2) else {
            throw ModelError.configuration(
                key: "position_buckets", problem: "is \(buckets), for distances up to \(farthest); it must be at least 4 and below that")
        }
        distances = .init(span: buckets > 0 ? buckets : farthest, buckets: buckets > 0 ? buckets : nil, farthest: farthest)
        terms = try Self.terms(file)
        sharesProjections = try file.flag("share_att_key", or: false)
        hasNorm = try file.optionalString("norm_rel_ebd")?.lowercased().split(separator: "|").contains("layer_norm") ?? false
        scale = 1 / Float(settings.hidden / settings.heads * (1 + terms.count)).squareRoot()
    }

    /// The embeddings of distances, which all layers project: [2·span, C].
    func rows(_ scope: WeightScope, _ settings: EncoderSettings) throws -> Tensor {
        let table = try scope.weight("rel_embeddings", [2 * distances.span, settings.hidden]).value
        guard hasNorm else { return table }
        return try scope.norm(.layer, "LayerNorm", width: settings.hidden, epsilon: settings.epsilon)(table, on: nil)
    }

    /// The relative keys and queries of a layer. They do not depend on the text, so they are computed once, in 32-bit floats.
    func positions(_ rows: Tensor, _ scope: WeightScope, _ settings: EncoderSettings) throws -> DisentangledPositions {
        func table(_ term: String, _ shared: String, _ own: String) throws -> Tensor? {
            guard terms.contains(term) else { return nil }
            let projection = try scope.projection(sharesProjections ? shared : own, settings.hidden, settings.hidden, bias: true)
            return Compute.$precision.withValue(.f32) { projection(rows, on: nil) }
        }
        return DisentangledPositions(
            distances, keys: try table("c2p", "key_proj", "pos_key_proj"), queries: try table("p2c", "query_proj", "pos_query_proj"))
    }
}

/// The settings of the convolution in a DeBERTa configuration.
private struct DeBERTaConvolution {
    private let width: Int
    private let groups: Int
    private let activation: @Sendable (Tensor) -> Tensor

    /// Reads the settings; nil for a model without convolution.
    init?(reading file: ConfigurationReader) throws {
        let width = try file.optionalInteger("conv_kernel_size") ?? 0
        guard width > 0 else { return nil }
        guard width % 2 == 1, width < 1000 else { throw ModelError.unsupported("conv_kernel_size \(width) (only odd, below 1000)") }
        self.width = width
        groups = try file.optionalCount("conv_groups") ?? 1
        activation = try EncoderFamily.function(reading: "conv_act", of: file, or: "tanh")
    }

    func made(_ scope: WeightScope, _ settings: EncoderSettings, norm: (WeightScope) throws -> Norm) throws -> EncoderConvolution {
        guard settings.hidden % groups == 0 else {
            throw ModelError.configuration(key: "conv_groups", problem: "(\(groups)) must divide hidden_size (\(settings.hidden))")
        }
        return EncoderConvolution(
            weight: try scope.weight("conv", [settings.hidden, settings.hidden / groups, width]),
            bias: try scope.bias("conv", settings.hidden),
            groups: groups, activation: activation, norm: try norm(scope))
    }
}
