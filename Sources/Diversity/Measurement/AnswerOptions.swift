/// What the metrics of classes, meaning and quality depend on.
public struct AnswerOptions: Codable, Sendable, Equatable {
    /// How it is found out whether two answers say the same.
    public enum Equivalence: String, Codable, Sendable, CaseIterable {
        /// Overlap of their words, see ``OverlapEquivalence``.
        case ngrams
        /// The cosine of their embeddings, see ``EmbeddingEquivalence``.
        case embeddings
        /// Entailment in both directions, see ``EntailmentEquivalence``.
        case entailment
        /// A classifier made for it, see ``ClassifierEquivalence``.
        case classifier
    }

    /// How it is found out whether two answers say the same; nil for the best that there is a model for: the classifier, entailment,
    /// embeddings, else n-grams.
    public var equivalence: Equivalence?
    /// Above what two answers are one; nil for the default of the equivalence. Entailment has none.
    public var equivalenceThreshold: Double?
    /// Whether entailment is asked for between answers behind their inputs.
    public var entailmentReadsInput = false
    /// k of `distinct_k`, `utility_k`, `pass_at_k` and `best_reward_at_k`; nil for all answers.
    public var count: Int?
    /// How probable it is that a reader of `utility_k` reads on.
    public var patience = 0.8
    /// The thresholds that turn rewards into the whole numbers of `utility_k`; empty for the rewards themselves.
    public var levels: [Double] = []
    /// The least reward that is good enough.
    public var qualityThreshold: Double?
    /// The least ROUGE-L F at which an answer covers a reference.
    public var coverageThreshold = 0.5
    /// Whether an answer covers a reference when both say the same, instead.
    public var coversByEquivalence = false

    /// The defaults.
    public init() {}

    /// - Throws: ``DiversityError/invalidOption(name:rule:)``.
    func validate() throws {
        func require(_ condition: Bool, _ name: String, _ rule: String) throws {
            if !condition { throw DiversityError.invalidOption(name: name, rule: rule) }
        }
        try require(count.map { $0 > 0 } ?? true, "k", "is at least 1")
        try require(patience > 0 && patience <= 1, "patience of utility_k", "is above 0 and at most 1")
        try require(levels.allSatisfy(\.isFinite), "every level of utility_k", "is a finite number")
        try require(qualityThreshold.map(\.isFinite) ?? true, "quality threshold", "is a finite number")
        try require((0...1).contains(coverageThreshold), "threshold of reference_coverage", "is from 0 to 1")
        guard let threshold = equivalenceThreshold else { return }
        switch equivalence {
        case nil: try require(false, "threshold of the equivalence", "is given together with the equivalence that it belongs to")
        case .entailment:
            try require(false, "threshold of the equivalence", "has no meaning for entailment, where the likeliest label counts")
        case .embeddings: try require((-1...1).contains(threshold), "threshold of the equivalence", "is from -1 to 1 for embeddings")
        case .ngrams, .classifier: try require((0...1).contains(threshold), "threshold of the equivalence", "is from 0 to 1")
        }
    }

    /// The equivalence under the models that there are; nil where the chosen one has none.
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

    /// Entailment both ways, which the semantic entropies take; nil without a model.
    func meaning(_ models: DiversityModels) -> (any AnswerEquivalence)? {
        models.entailment.map { EntailmentEquivalence($0, readsInput: entailmentReadsInput) }
    }
}

extension KeyedDecodingContainer {
    /// Configurations that were stored before these options existed have their defaults.
    func decode(_ type: AnswerOptions.Type, forKey key: Key) throws -> AnswerOptions {
        try decodeIfPresent(type, forKey: key) ?? AnswerOptions()
    }
}
