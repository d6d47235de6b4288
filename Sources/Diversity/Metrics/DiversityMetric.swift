public import Eval

/// A metric that assigns a diversity value to a set of texts.
public protocol DiversityMetric: Sendable {
    /// The exact name by which the metric is chosen and reported.
    var name: String { get }
    /// Whether a larger value means more diverse texts.
    var higherIsMoreDiverse: Bool { get }
    /// The kinds of sets for which the metric is meaningful; it is measured on no others.
    var sets: MetricSets { get }
    /// Whether the value is a mean over pairs of texts, so that it does not depend on the number of texts systematically.
    var isMeanOverPairs: Bool { get }
    /// Whether the metric uses the rewards of the texts, not only the texts.
    var looksAtRewards: Bool { get }
    /// What a reader needs to know to interpret the values, such as a threshold or what counts as equal; printed below the
    /// table. nil for nothing.
    var note: String? { get }
    /// The values that sets of at most `count` texts can have; intervals are clamped to this range.
    func range(ofTexts count: Int) -> MetricRange
    /// The value for one set of texts.
    ///
    /// - Parameters:
    ///   - set: indices of texts in the collection; an index may appear more than once.
    ///   - collection: the texts and what metrics share.
    /// - Returns: nil if the set has no value; a set of fewer than two texts usually has none.
    /// - Throws: if the metric cannot be computed; the whole measurement then fails.
    func value(of set: [Int], in collection: TextCollection) throws -> Double?
    /// The number of texts that the metric excludes from every set, for example because they are too short or could not be
    /// encoded.
    func excludedTexts(in collection: TextCollection) throws -> Int
    /// The expected value for a set of two or more texts drawn independently from a distribution. Drawing the same text twice
    /// counts as a pair of copies.
    ///
    /// - Parameters:
    ///   - texts: indices of texts in the collection.
    ///   - probabilities: the probability of each text; they sum to 1.
    ///   - collection: the texts and what metrics share.
    /// - Returns: nil if the distribution alone does not determine the value: only a mean over pairs has the same expectation
    ///   for all set sizes.
    func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double?
}

extension DiversityMetric {
    /// Default: all kinds of sets.
    public var sets: MetricSets { .all }
    /// Default: false.
    public var isMeanOverPairs: Bool { false }
    /// Default: false.
    public var looksAtRewards: Bool { false }
    /// Default: no note.
    public var note: String? { nil }
    /// Default: unbounded.
    public func range(ofTexts count: Int) -> MetricRange { .unbounded }
    /// Default: no text is excluded.
    public func excludedTexts(in collection: TextCollection) -> Int { 0 }
    /// Default: nil, since the metric is not a mean over pairs.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) -> Double? {
        nil
    }
}

/// The distinct-n metric of one order, or its mean over several orders; see ``DistinctNGrams``.
public struct DistinctNGramsMetric: DiversityMetric {
    public let name: String
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let orders: ClosedRange<Int>
    /// Smaller sets have no value: 2, or 1 if single texts are measured too.
    private let fewestTexts: Int
    private let tokenisation: NGramTokenisation

    /// Creates `distinct_ngrams_N` for a single order N, or `averaged_distinct_ngrams` for several orders. Default: orders 1…5.
    /// - Parameters:
    ///   - orders: the orders N of the n-grams.
    ///   - tokenisation: the rule that splits texts into words.
    ///   - fewestTexts: the smallest set size with a value.
    public init(
        orders: ClosedRange<Int> = 1...5, tokenisation: NGramTokenisation = .reference, fewestTexts: Int = 2
    ) {
        self.fewestTexts = fewestTexts
        name = orders.count == 1 ? "distinct_ngrams_\(orders.lowerBound)" : "averaged_distinct_ngrams"
        self.orders = orders
        self.tokenisation = tokenisation
    }

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        guard set.count >= fewestTexts else { return nil }
        let sum = orders.reduce(0.0) { sum, order in
            let count = collection.count(set, order: order, tokenisation)
            return sum + DistinctNGrams.ratio(unique: count.unique, total: count.total)
        }
        return sum / Double(orders.count)
    }
}

/// Expectation-adjusted distinct n-grams of one order, or their mean over several orders; see ``ExpectationAdjusted``.
public struct ExpectationAdjustedMetric: DiversityMetric {
    public let name: String
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .notNegative }
    private let orders: ClosedRange<Int>
    /// Smaller sets have no value: 2, or 1 if single texts are measured too.
    private let fewestTexts: Int
    private let vocabularySize: Int
    private let tokenisation: NGramTokenisation

    /// Creates `ead_distinct_ngrams_N` for a single order N, or `ead_averaged_distinct_ngrams` for several orders. Default:
    /// orders 1…5.
    /// - Parameters:
    ///   - orders: the orders N of the n-grams.
    ///   - vocabularySize: V, the vocabulary size of the expectation adjustment.
    ///   - tokenisation: the rule that splits texts into words.
    ///   - fewestTexts: the smallest set size with a value.
    public init(
        orders: ClosedRange<Int> = 1...5, vocabularySize: Int = ExpectationAdjusted.defaultVocabularySize,
        tokenisation: NGramTokenisation = .reference, fewestTexts: Int = 2
    ) {
        self.fewestTexts = fewestTexts
        name = orders.count == 1 ? "ead_distinct_ngrams_\(orders.lowerBound)" : "ead_averaged_distinct_ngrams"
        self.orders = orders
        self.vocabularySize = vocabularySize
        self.tokenisation = tokenisation
    }

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        guard set.count >= fewestTexts else { return nil }
        let sum = orders.reduce(0.0) { sum, order in
            let count = collection.count(set, order: order, tokenisation)
            return sum
                + ExpectationAdjusted.ratio(unique: count.unique, total: count.total, vocabularySize: vocabularySize)
        }
        return sum / Double(orders.count)
    }
}

/// One minus the mean pairwise cosine of n-gram count vectors, `cosine_similarity_2d_diversity`; see ``NGramCosine``.
public struct NGramCosineMetric: DiversityMetric {
    public let name = "cosine_similarity_2d_diversity"
    public var higherIsMoreDiverse: Bool { true }
    public var isMeanOverPairs: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let order: Int
    private let tokenisation: NGramTokenisation

    /// The metric for one n-gram order. Default: order 3, as published.
    public init(order: Int = 3, tokenisation: NGramTokenisation = .reference) {
        self.order = order
        self.tokenisation = tokenisation
    }

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        NGramCosine.diversity(of: set, in: collection.ngrams(tokenisation, order: order), order: order)
    }

    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) -> Double? {
        NGramCosine.expectedDiversity(
            of: texts, probabilities: probabilities, in: collection.ngrams(tokenisation, order: order), order: order)
    }
}
