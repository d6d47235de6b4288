public import Eval

/// A number for the diversity of a set of texts.
public protocol DiversityMetric: Sendable {
    /// The exact name by which it is chosen and reported.
    var name: String { get }
    /// Whether a larger value means more diverse texts.
    var higherIsMoreDiverse: Bool { get }
    /// The sets on which it means something; it is measured on no others.
    var sets: MetricSets { get }
    /// Whether its value is a mean over pairs of texts, which does not grow or shrink with the number of texts.
    var isMeanOverPairs: Bool { get }
    /// Whether it looks at the rewards of texts, not at the texts alone.
    var looksAtRewards: Bool { get }
    /// What a reader has to know to understand its numbers: a threshold, what counts as equal; printed below the table.
    var note: String? { get }
    /// The values that sets of at most so many texts can have; intervals are cut to them.
    func range(ofTexts count: Int) -> MetricRange
    /// The value for one set of texts.
    ///
    /// - Parameters:
    ///   - set: indices of texts in the collection; an index may appear more than once.
    ///   - collection: the texts and what metrics share.
    /// - Returns: nil if the set has no value, as every set of fewer than two texts.
    /// - Throws: when the metric cannot be computed; the run fails then.
    func value(of set: [Int], in collection: TextCollection) throws -> Double?
    /// How many texts of the collection the metric has to leave out of every set: too short, or not encoded.
    func excludedTexts(in collection: TextCollection) throws -> Int
    /// The expected value for a set of two or more texts that are drawn independently from a distribution; drawing a text twice makes
    /// a pair of copies.
    ///
    /// - Parameters:
    ///   - texts: indices of texts in the collection.
    ///   - probabilities: how probable each of them is; they sum to 1.
    /// - Returns: nil where the distribution does not determine it: only a mean over pairs has one value for all sizes of the set.
    func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double?
}

extension DiversityMetric {
    /// All sets.
    public var sets: MetricSets { .all }
    /// No.
    public var isMeanOverPairs: Bool { false }
    /// No.
    public var looksAtRewards: Bool { false }
    /// Nothing.
    public var note: String? { nil }
    /// Any number: the metric says nothing of its range.
    public func range(ofTexts count: Int) -> MetricRange { .unbounded }
    /// None.
    public func excludedTexts(in collection: TextCollection) -> Int { 0 }
    /// None: the metric is no mean over pairs.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) -> Double? {
        nil
    }
}

/// distinct-n of one order, or its mean over orders 1…5.
public struct DistinctNGramsMetric: DiversityMetric {
    public let name: String
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let orders: ClosedRange<Int>
    /// Smaller sets have no value: 2, or 1 where a text may be measured by itself.
    private let fewestTexts: Int
    private let tokenisation: NGramTokenisation

    /// `distinct_ngrams_N`, or `averaged_distinct_ngrams` where there are several orders.
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

/// Expectation-adjusted distinct n-grams of one order, or their mean over orders 1…5.
public struct ExpectationAdjustedMetric: DiversityMetric {
    public let name: String
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .notNegative }
    private let orders: ClosedRange<Int>
    /// Smaller sets have no value: 2, or 1 where a text may be measured by itself.
    private let fewestTexts: Int
    private let vocabularySize: Int
    private let tokenisation: NGramTokenisation

    /// `ead_distinct_ngrams_N`, or `ead_averaged_distinct_ngrams` where there are several orders.
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

/// One minus the mean pairwise cosine of n-gram counts, `cosine_similarity_2d_diversity`.
public struct NGramCosineMetric: DiversityMetric {
    public let name = "cosine_similarity_2d_diversity"
    public var higherIsMoreDiverse: Bool { true }
    public var isMeanOverPairs: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let order: Int
    private let tokenisation: NGramTokenisation

    /// The published value has order 3.
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
