/// The models that some metrics need.
public struct DiversityModels: Sendable {
    /// A sentence encoder on this machine.
    public var encoder: (any TextEncoder)?
    /// An embedding service.
    public var remoteEncoder: (any TextEncoder)?
    /// A natural language inference model.
    public var entailment: (any EntailmentModel)?

    /// The models there are.
    public init(
        encoder: (any TextEncoder)? = nil, remoteEncoder: (any TextEncoder)? = nil,
        entailment: (any EntailmentModel)? = nil
    ) {
        self.encoder = encoder
        self.remoteEncoder = remoteEncoder
        self.entailment = entailment
    }
}

/// The metrics by name.
public enum MetricCatalogue {
    private enum Need {
        case nothing, encoder, remoteEncoder, entailment
    }

    private static let entries: [(name: String, need: Need)] =
        [
            ("averaged_distinct_ngrams", .nothing), ("ead_averaged_distinct_ngrams", .nothing),
            ("cosine_similarity_2d_diversity", .nothing), ("vendi_score", .nothing), ("self_bleu", .nothing),
            ("rouge_l_homogenisation", .nothing), ("compression_ratio", .nothing), ("self_repetition", .nothing),
            ("sent_bert_from_sim", .encoder), ("embedding_vendi_score", .encoder), ("openai_from_sim", .remoteEncoder),
            ("nli_from_sim", .entailment), ("nli_sample_from_sim", .entailment),
        ] + (1...5).map { ("distinct_ngrams_\($0)", .nothing) }
        + (1...5).map { ("ead_distinct_ngrams_\($0)", .nothing) }

    private static let lengthControlPrefix = "length_controlled_"

    /// Every name, without the length-controlled variants; each also exists with `length_controlled_` before it.
    public static let names = entries.map(\.name)

    /// The exact names that a list stands for, each once, in the list's order; `all` stands for ``names``.
    ///
    /// - Throws: ``DiversityError/unknownMetrics(_:known:)`` that lists what is known.
    public static func names(chosenBy list: [String]) throws -> [String] {
        let known = Set(names).union(names.map { lengthControlPrefix + $0 })
        let unknown = list.filter { $0 != "all" && !known.contains($0) }
        guard unknown.isEmpty else { throw DiversityError.unknownMetrics(unknown, known: ["all"] + names) }
        guard !list.isEmpty else { throw DiversityError.unknownMetrics(["(none)"], known: ["all"] + names) }
        var seen: Set<String> = []
        return list.flatMap { $0 == "all" ? names : [$0] }.filter { seen.insert($0).inserted }
    }

    /// The metrics a configuration chooses.
    ///
    /// - Parameter commonLength: the length in words for the length-controlled metrics.
    /// - Returns: the metrics, and the names that `all` left out for want of a model.
    /// - Throws: for unknown names, and for metrics asked for by name whose model is missing.
    public static func metrics(
        _ config: DiversityConfig, models: DiversityModels, commonLength: Int
    ) throws -> (metrics: [any DiversityMetric], withoutModel: [String]) {
        var chosen: [any DiversityMetric] = []
        var withoutModel: [String] = []
        for name in try names(chosenBy: config.metrics) {
            let isControlled = name.hasPrefix(lengthControlPrefix)
            let baseName = isControlled ? String(name.dropFirst(lengthControlPrefix.count)) : name
            guard let base = make(baseName, config, models) else {
                guard config.metrics.contains(name) else {
                    withoutModel.append(name)
                    continue
                }
                throw DiversityError.modelMissing(metric: name, model: modelName(for: baseName))
            }
            if !isControlled { chosen.append(base) }
            let both = config.lengthControl && !config.metrics.contains(lengthControlPrefix + name)
            if isControlled || both { chosen.append(LengthControlledMetric(base, words: commonLength)) }
        }
        return (chosen, withoutModel)
    }

    private static func modelName(for metric: String) -> String {
        switch entries.first(where: { $0.name == metric })?.need {
        case .encoder: "a sentence encoder"
        case .remoteEncoder: "an embedding service"
        case .entailment: "a natural language inference model"
        case .nothing, nil: "nothing"
        }
    }

    /// The metric of an exact base name; nil if its model is missing.
    private static func make(
        _ name: String, _ config: DiversityConfig, _ models: DiversityModels
    ) -> (any DiversityMetric)? {
        let tokenisation = config.tokenisation
        let fewest = config.selectsAsOriginal ? 1 : 2
        switch name {
        case "averaged_distinct_ngrams": return DistinctNGramsMetric(tokenisation: tokenisation, fewestTexts: fewest)
        case "ead_averaged_distinct_ngrams":
            return ExpectationAdjustedMetric(vocabularySize: config.vocabularySize, tokenisation: tokenisation, fewestTexts: fewest)
        case "cosine_similarity_2d_diversity": return NGramCosineMetric(tokenisation: tokenisation)
        case "vendi_score": return VendiMetric(order: config.vendiOrder.value, tokenisation: tokenisation)
        case "self_bleu": return SelfBLEUMetric()
        case "rouge_l_homogenisation": return HomogenisationMetric()
        case "compression_ratio": return CompressionRatioMetric()
        case "self_repetition": return SelfRepetitionMetric()
        case "sent_bert_from_sim": return models.encoder.map { EmbeddingMetric($0) }
        case "embedding_vendi_score":
            return models.encoder.map { EmbeddingVendiMetric($0, order: config.vendiOrder.value) }
        case "openai_from_sim": return models.remoteEncoder.map { EmbeddingMetric($0, name: name) }
        case "nli_from_sim":
            return models.entailment.map {
                NLIDiversity(
                    $0, scoring: config.nliScoring, pairs: PairSample(limit: config.nliPairs, seed: config.seed))
            }
        case "nli_sample_from_sim":
            return models.entailment.map {
                SampledNLIDiversity(
                    $0, scoring: config.nliScoring, form: config.nliForm, samples: config.nliSamples, seed: config.seed,
                    pairs: PairSample(limit: config.nliPairs, seed: config.seed))
            }
        default:
            guard let order = name.last.flatMap({ Int(String($0)) }), (1...5).contains(order) else { return nil }
            if name == "distinct_ngrams_\(order)" {
                return DistinctNGramsMetric(orders: order...order, tokenisation: tokenisation, fewestTexts: fewest)
            }
            return ExpectationAdjustedMetric(
                orders: order...order, vocabularySize: config.vocabularySize, tokenisation: tokenisation, fewestTexts: fewest)
        }
    }
}
