/// An entry in the metric catalogue: the name by which a metric is chosen, the model it needs, and how to create it.
///
/// A catalogue is an array of kinds; append custom metrics to the built-in ones:
///
///     let kinds = DiversityMetricKind.builtIn + [DiversityMetricKind(LongestWord())]
///     let report = try DiversityMeasurement.run(input, config: config, kinds: kinds)
public struct DiversityMetricKind: Sendable {
    /// Creates a metric from options and models; nil if the model it needs was not given.
    public typealias Make = @Sendable (_ config: DiversityConfig, _ models: DiversityModels) throws -> (any DiversityMetric)?

    /// The exact name by which the metric is chosen. The metric itself must have the same name.
    public let name: String
    /// The model that the metric needs, worded as the end of "needs …"; nil if it needs none.
    public let model: String?
    /// What else the metric needs and is not available, worded as the end of "needs …"; nil if nothing is missing.
    let missing: @Sendable (_ config: DiversityConfig, _ models: DiversityModels, _ known: KnownFacts) -> String?
    /// Whether the metric compares systems instead of measuring the texts of a set.
    let isBetweenSystems: Bool
    let make: Make

    /// A kind whose metric is created when a measurement starts.
    /// - Parameters:
    ///   - name: the exact name by which the metric is chosen.
    ///   - model: the model that it needs, worded as the end of "needs …"; nil if it needs none.
    ///   - make: creates the metric; nil if its model was not given.
    public init(_ name: String, needs model: String? = nil, make: @escaping Make) {
        self.name = name
        self.model = model
        missing = { _, _, _ in nil }
        isBetweenSystems = false
        self.make = make
    }

    /// A kind that may need more than a model.
    init(
        _ name: String, isBetweenSystems: Bool = false,
        missing: @escaping @Sendable (DiversityConfig, DiversityModels, KnownFacts) -> String?, make: @escaping Make
    ) {
        self.name = name
        model = nil
        self.missing = missing
        self.isBetweenSystems = isBetweenSystems
        self.make = make
    }

    /// A kind for an existing metric.
    public init(_ metric: any DiversityMetric) {
        self.init(metric.name) { _, _ in metric }
    }
}

extension DiversityMetricKind {
    /// The built-in metrics, in the order in which reports list them.
    public static let builtIn: [DiversityMetricKind] =
        [
            DiversityMetricKind("averaged_distinct_ngrams") { config, _ in
                DistinctNGramsMetric(tokenisation: config.tokenisation, fewestTexts: config.fewestTexts)
            },
            DiversityMetricKind("ead_averaged_distinct_ngrams") { config, _ in
                ExpectationAdjustedMetric(
                    vocabularySize: config.vocabularySize, tokenisation: config.tokenisation, fewestTexts: config.fewestTexts)
            },
            DiversityMetricKind("cosine_similarity_2d_diversity") { config, _ in NGramCosineMetric(tokenisation: config.tokenisation) },
            DiversityMetricKind("vendi_score") { config, _ in
                VendiMetric(order: config.vendiOrder.value, tokenisation: config.tokenisation)
            },
            DiversityMetricKind(SelfBLEUMetric()), DiversityMetricKind(HomogenisationMetric()),
            DiversityMetricKind(CompressionRatioMetric()), DiversityMetricKind(SelfRepetitionMetric()),
            DiversityMetricKind("sent_bert_from_sim", needs: "a sentence encoder") { _, models in
                models.encoder.map { EmbeddingMetric($0) }
            },
            DiversityMetricKind("embedding_vendi_score", needs: "a sentence encoder") { config, models in
                models.encoder.map { EmbeddingVendiMetric($0, order: config.vendiOrder.value) }
            },
            DiversityMetricKind("openai_from_sim", needs: "an embedding service") { _, models in
                models.remoteEncoder.map { EmbeddingMetric($0, name: "openai_from_sim") }
            },
            DiversityMetricKind("nli_from_sim", needs: "a natural language inference model") { config, models in
                models.entailment.map { NLIDiversity($0, scoring: config.nliScoring, pairs: config.pairSample) }
            },
            DiversityMetricKind("nli_sample_from_sim", needs: "a natural language inference model") { config, models in
                models.entailment.map {
                    SampledNLIDiversity(
                        $0, scoring: config.nliScoring, form: config.nliForm, samples: config.nliSamples, seed: config.seed,
                        pairs: config.pairSample)
                }
            },
        ] + (1...5).map(distinct) + (1...5).map(adjusted) + ofAnswers

    private static func distinct(_ order: Int) -> DiversityMetricKind {
        DiversityMetricKind("distinct_ngrams_\(order)") { config, _ in
            DistinctNGramsMetric(orders: order...order, tokenisation: config.tokenisation, fewestTexts: config.fewestTexts)
        }
    }

    private static func adjusted(_ order: Int) -> DiversityMetricKind {
        DiversityMetricKind("ead_distinct_ngrams_\(order)") { config, _ in
            ExpectationAdjustedMetric(
                orders: order...order, vocabularySize: config.vocabularySize, tokenisation: config.tokenisation,
                fewestTexts: config.fewestTexts)
        }
    }
}

extension DiversityConfig {
    /// The smallest set size for which distinct n-grams have a value.
    fileprivate var fewestTexts: Int { selectsAsOriginal ? 1 : 2 }
    var pairSample: PairSample { PairSample(limit: nliPairs, seed: seed) }
}
