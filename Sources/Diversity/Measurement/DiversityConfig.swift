/// All settings of a diversity measurement apart from texts and models. Stored with the results, so that a measurement can be
/// repeated.
public struct DiversityConfig: Codable, Sendable, Equatable {
    /// Exact metric names, or `all` for every metric whose requirements are met.
    public var metrics = ["all"]
    /// Whether each chosen metric is also measured on texts cut to a common length.
    public var lengthControl = false
    /// The common length in words; nil uses a length that 90 % of the texts reach.
    public var commonLength: Int?
    /// The maximum number of outputs per input; nil for all.
    public var limitOutputs: Int?
    /// Whether texts are selected as in the published code: inputs are sorted by their text, ``limitOutputs`` limits the number
    /// of inputs and keeps all of their outputs, and distinct n-grams are also measured for a single text.
    public var selectsAsOriginal = false
    /// Whether the reference of each input is measured instead of its outputs.
    public var useReferences = false
    /// The maximum number of tables that are read.
    public var maximumTables = 16
    /// Which sets of texts are measured.
    public var plan = DiversityPlan.Options()
    /// How n-gram metrics split texts into words.
    public var tokenisation = NGramTokenisation.reference
    /// The vocabulary size V of the expectation-adjusted metrics.
    public var vocabularySize = ExpectationAdjusted.defaultVocabularySize
    /// The order q of the Vendi scores.
    public var vendiOrder = VendiOrder(1)
    /// How label probabilities of the inference model become scores.
    public var nliScoring = NLIScoring.standard
    /// What the sampled inference metric splits texts into.
    public var nliForm = SampledNLIDiversity.Form.sentences
    /// The number of sentences that the sampled inference metric draws for each pair of texts.
    public var nliSamples = 5
    /// The maximum number of pairs per set that a model judges, chosen at random; nil for all. Applies to the inference
    /// metrics, and to `effective_semantic_diversity` with an entailment or classifier equivalence.
    public var nliPairs: Int?
    /// Options of the metrics based on classes, meaning and quality.
    public var answers = AnswerOptions()
    /// The number of bootstrap resamples for intervals.
    public var resamples = 2000
    /// The seed of all random draws.
    public var seed: UInt64 = 0

    /// The defaults: every metric whose requirements are met, with intervals.
    public init() {}

    /// Validates every option.
    /// - Parameter kinds: the catalogue of metrics to choose from.
    /// - Throws: ``DiversityError/invalidOption(name:rule:)``, ``DiversityError/unknownMetrics(_:known:)`` or
    ///   ``DiversityError/nameTaken(_:)``.
    public func validate(kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn) throws {
        func require(_ condition: Bool, _ name: String, _ rule: String) throws {
            if !condition { throw DiversityError.invalidOption(name: name, rule: rule) }
        }
        try require(commonLength.map { $0 > 0 } ?? true, "common length", "must be at least 1 word")
        try require(limitOutputs.map { $0 > 0 } ?? true, "limit of outputs", "must be at least 1")
        try require(maximumTables > 0, "number of tables", "must be at least 1")
        try require(plan.draws > 0, "number of draws across inputs", "must be at least 1")
        try require(plan.jackknifeGroups > 1, "number of jackknife groups", "must be at least 2")
        try require(plan.overallSample.map { $0 > 1 } ?? true, "overall sample", "must be at least 2 outputs")
        try require(plan.simulatedBestOfN.map { $0 > 0 } ?? true, "n of simulated best-of-n", "must be at least 1")
        try require(plan.simulatedOutputs > 0, "number of simulated outputs", "must be at least 1")
        try require(vocabularySize > 0, "vocabulary size", "must be at least 1")
        try require(vendiOrder.value >= 0, "Vendi order", "must be at least 0, or inf")
        try require(nliSamples > 0, "number of sampled sentences", "must be at least 1")
        try require(nliPairs.map { $0 > 0 } ?? true, "number of judged pairs", "must be at least 1")
        try require(resamples > 0, "number of resamples", "must be at least 1")
        try answers.validate()
        _ = try MetricCatalogue.names(chosenBy: metrics, from: kinds)
    }
}

/// The order of a Vendi score; in JSON a number or the string `inf`.
public struct VendiOrder: Codable, Sendable, Equatable, CustomStringConvertible {
    /// The order q ≥ 0.
    public var value: Double

    /// An order; `.infinity` is allowed.
    public init(_ value: Double) {
        self.value = value
    }

    /// Parses an order written as a number or `inf`; nil if the text is neither or negative.
    public init?(_ text: String) {
        guard let value = Double(text), value >= 0 else { return nil }
        self.value = value
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            value = number
        } else if let order = VendiOrder(try container.decode(String.self)) {
            self = order
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a Vendi order must be a number of at least 0, or \"inf\"")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value.isFinite { try container.encode(value) } else { try container.encode(description) }
    }

    /// The number, or `inf`.
    public var description: String { "\(value)" }
}
