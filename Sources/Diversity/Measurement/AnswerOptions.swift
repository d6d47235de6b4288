/// Options of the metrics based on equivalence classes, meaning and quality.
public struct AnswerOptions: Codable, Sendable, Equatable {
    /// How two answers are tested for equivalence, that is, for saying the same thing.
    public enum Equivalence: String, Codable, Sendable, CaseIterable {
        /// Word overlap; see ``OverlapEquivalence``.
        case ngrams
        /// Cosine of their embeddings; see ``EmbeddingEquivalence``.
        case embeddings
        /// Entailment in both directions; see ``EntailmentEquivalence``.
        case entailment
        /// A classifier trained for equivalence; see ``ClassifierEquivalence``.
        case classifier
    }

    /// How two answers are tested for equivalence. nil chooses the first for which a model was given: classifier, entailment,
    /// embeddings; n-grams if there is no model.
    public var equivalence: Equivalence?
    /// Two answers are equivalent if their score is above this threshold; nil for the default of the equivalence. Entailment
    /// has no threshold.
    public var equivalenceThreshold: Double?
    /// Whether the input is put before both answers when entailment is tested.
    public var entailmentReadsInput = false
    /// k of `distinct_k`, `utility_k`, `pass_at_k` and `best_reward_at_k`; nil for all answers of an input.
    public var count: Int?
    /// Probability that a reader of `utility_k` continues with the next answer.
    public var patience = 0.8
    /// Thresholds that map rewards to the integer levels of `utility_k`; empty uses the rewards themselves.
    public var levels: [Double] = []
    /// The minimum reward of an answer that counts as good enough; nil for none.
    public var qualityThreshold: Double?
    /// The minimum ROUGE-L F at which an answer covers a reference.
    public var coverageThreshold = 0.5
    /// Whether an answer covers a reference if the two are equivalent, instead of by ROUGE-L.
    public var coversByEquivalence = false

    /// The defaults.
    public init() {}

    /// Checks every option.
    /// - Throws: ``DiversityError/invalidOption(name:rule:)``.
    func validate() throws {
        func require(_ condition: Bool, _ name: String, _ rule: String) throws {
            if !condition { throw DiversityError.invalidOption(name: name, rule: rule) }
        }
        try require(count.map { $0 > 0 } ?? true, "k", "must be at least 1")
        try require(patience > 0 && patience <= 1, "patience of utility_k", "must be above 0 and at most 1")
        try require(levels.allSatisfy(\.isFinite), "every level of utility_k", "must be a finite number")
        try require(qualityThreshold.map(\.isFinite) ?? true, "quality threshold", "must be a finite number")
        try require((0...1).contains(coverageThreshold), "threshold of reference_coverage", "must be from 0 to 1")
        guard let threshold = equivalenceThreshold else { return }
        switch equivalence {
        case nil: try require(false, "threshold of the equivalence", "needs the equivalence to which it applies")
        case .entailment:
            try require(false, "threshold of the equivalence", "does not apply to entailment, which uses the most likely label")
        case .embeddings: try require((-1...1).contains(threshold), "threshold of the equivalence", "must be from -1 to 1 for embeddings")
        case .ngrams, .classifier: try require((0...1).contains(threshold), "threshold of the equivalence", "must be from 0 to 1")
        }
    }

    /// The equivalence for the given models; nil if the chosen one lacks its model.
    func equivalence(_ models: DiversityModels) -> (any AnswerEquivalence)? {
        let best: Equivalence =
            models.similarity != nil ? .classifier : models.entailment != nil ? .entailment : models.encoder != nil ? .embeddings : .ngrams
        switch equivalence ?? best {
        case .ngrams: return OverlapEquivalence(threshold: equivalenceThreshold ?? OverlapEquivalence.defaultThreshold)
        case .embeddings:
            return models.encoder.map { EmbeddingEquivalence($0, threshold: equivalenceThreshold ?? EmbeddingEquivalence.defaultThreshold) }
        case .entailment: return meaning(models)
        case .classifier:
            return models.similarity.map {
                ClassifierEquivalence($0, threshold: equivalenceThreshold ?? ClassifierEquivalence.defaultThreshold)
            }
        }
    }

    /// Entailment in both directions, which the semantic entropies use; nil without an entailment model.
    func meaning(_ models: DiversityModels) -> (any AnswerEquivalence)? {
        models.entailment.map { EntailmentEquivalence($0, readsInput: entailmentReadsInput) }
    }
}

extension KeyedDecodingContainer {
    /// Decodes the options; configurations stored before they existed get the defaults.
    func decode(_ type: AnswerOptions.Type, forKey key: Key) throws -> AnswerOptions {
        try decodeIfPresent(type, forKey: key) ?? AnswerOptions()
    }
}
