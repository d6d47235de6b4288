/// Everything a diversity measurement depends on besides texts and models. Stored with its results, so that it can be
/// repeated.
public struct DiversityConfig: Codable, Sendable, Equatable {
    /// Exact metric names, or `all`: every metric whose model is there.
    public var metrics = ["all"]
    /// Adds to every chosen metric its variant on texts cut to a common length.
    public var lengthControl = false
    /// The common length in words; nil takes one that nine in ten of the texts have.
    public var commonLength: Int?
    /// Takes only so many outputs of each input.
    public var limitOutputs: Int?
    /// Selects as the original does: inputs are sorted by their text, ``limitOutputs`` keeps so many inputs with all of their outputs, and
    /// a single text has distinct n-grams.
    public var selectsAsOriginal = false
    /// Measures the reference of each input instead of its outputs.
    public var useReferences = false
    /// Reads at most so many tables.
    public var maximumTables = 16
    /// Which sets are measured.
    public var plan = DiversityPlan.Options()
    /// How n-gram metrics cut texts into words.
    public var tokenisation = NGramTokenisation.reference
    /// V of the expectation-adjusted metrics.
    public var vocabularySize = ExpectationAdjusted.defaultVocabularySize
    /// Order of the Vendi scores.
    public var vendiOrder = VendiOrder(1)
    /// How inference labels become numbers.
    public var nliScoring = NLIScoring.standard
    /// What the sampled inference metric cuts texts into.
    public var nliForm = SampledNLIDiversity.Form.sentences
    /// How many sentences it draws for a pair.
    public var nliSamples = 5
    /// At most so many pairs of a set are judged by an inference model, drawn at random; nil for all.
    public var nliPairs: Int?
    /// The metrics of classes, meaning and quality.
    public var answers = AnswerOptions()
    /// Resamples of bootstrap intervals.
    public var resamples = 2000
    /// Start of every draw.
    public var seed: UInt64 = 0

    /// The default measurement: the published metrics with intervals.
    public init() {}

    /// Checks every option.
    /// - Parameter kinds: the metrics that there are to choose from.
    /// - Throws: ``DiversityError/invalidOption(name:rule:)``, ``DiversityError/unknownMetrics(_:known:)`` or
    ///   ``DiversityError/nameTaken(_:)``.
    public func validate(kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn) throws {
        func require(_ condition: Bool, _ name: String, _ rule: String) throws {
            if !condition { throw DiversityError.invalidOption(name: name, rule: rule) }
        }
        try require(commonLength.map { $0 > 0 } ?? true, "common length", "is at least 1 word")
        try require(limitOutputs.map { $0 > 0 } ?? true, "limit of outputs", "is at least 1")
        try require(maximumTables > 0, "number of tables", "is at least 1")
        try require(plan.draws > 0, "number of draws across inputs", "is at least 1")
        try require(plan.jackknifeGroups > 1, "number of jackknife groups", "is at least 2")
        try require(plan.overallSample.map { $0 > 1 } ?? true, "overall sample", "is at least 2 outputs")
        try require(plan.simulatedBestOfN.map { $0 > 0 } ?? true, "n of simulated best-of-n", "is at least 1")
        try require(plan.simulatedOutputs > 0, "number of simulated outputs", "is at least 1")
        try require(vocabularySize > 0, "vocabulary size", "is at least 1")
        try require(vendiOrder.value >= 0, "Vendi order", "is 0 or more, or inf")
        try require(nliSamples > 0, "number of sampled sentences", "is at least 1")
        try require(nliPairs.map { $0 > 0 } ?? true, "number of judged pairs", "is at least 1")
        try require(resamples > 0, "number of resamples", "is at least 1")
        try answers.validate()
        _ = try MetricCatalogue.names(chosenBy: metrics, from: kinds)
    }
}

/// The order of a Vendi score, in JSON a number or the string `inf`.
public struct VendiOrder: Codable, Sendable, Equatable, CustomStringConvertible {
    /// The order.
    public var value: Double

    /// An order; `.infinity` is allowed.
    public init(_ value: Double) {
        self.value = value
    }

    /// An order written as a number or `inf`.
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
                in: container, debugDescription: "a Vendi order is a number of at least 0, or \"inf\"")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value.isFinite { try container.encode(value) } else { try container.encode(description) }
    }

    /// The number, or `inf`.
    public var description: String { "\(value)" }
}
