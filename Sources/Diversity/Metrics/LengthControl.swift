public import Eval

/// Cuts texts to a common length, so that a difference in diversity is not caused by a difference in length.
///
/// Texts are cut after their first L words (maximal runs of characters other than white space); the text up to that point is
/// unchanged. Texts with fewer words are excluded, since they cannot be brought to that length.
public enum LengthControl {
    /// The text up to the end of its word number `words`, counted from 1; nil if it has fewer words.
    public static func cut(_ text: String, toWords words: Int) -> String? {
        precondition(words > 0, "the common length must be at least one word, got \(words)")
        var count = 0
        var inside = false
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            let isSpace = TextRules.isWhitespace(scalars[index])
            if isSpace, inside, count == words { return String(scalars[..<index]) }
            if !isSpace && !inside { count += 1 }
            inside = !isSpace
        }
        return count == words ? text : nil
    }

    /// A length in words that 90 % of the texts reach: the 10 % quantile of the word counts, rounded down, at least 1; nil
    /// without texts.
    ///
    /// To compare systems, pass the texts of all of them.
    public static func commonLength(of texts: [String]) -> Int? {
        Statistics.quantile(0.1, of: texts.map { Double(Lengths.words(in: $0)) }).map { max(1, Int($0)) }
    }
}

/// A metric on texts cut to a common length; its name is `length_controlled_` followed by the name of the base metric.
public struct LengthControlledMetric: DiversityMetric {
    public var name: String { "length_controlled_" + base.name }
    public var higherIsMoreDiverse: Bool { base.higherIsMoreDiverse }
    public var sets: MetricSets { base.sets }
    public var isMeanOverPairs: Bool { base.isMeanOverPairs }
    public var looksAtRewards: Bool { base.looksAtRewards }
    public var note: String? { base.note }
    public func range(ofTexts count: Int) -> MetricRange { base.range(ofTexts: count) }
    private let base: any DiversityMetric
    private let words: Int

    /// The metric `base` on texts cut to `words` words.
    public init(_ base: any DiversityMetric, words: Int) {
        self.base = base
        self.words = words
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let cut = cut(collection)
        return try base.value(of: set.filter { cut.isLongEnough[$0] }, in: cut.collection)
    }

    /// The expected value without the texts that are too short; the probabilities of the others are rescaled to sum to 1.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double? {
        let cut = cut(collection)
        let long = zip(texts, probabilities).filter { cut.isLongEnough[$0.0] }
        let total = long.reduce(0) { $0 + $1.1 }
        guard total > 0 else { return nil }
        return try base.expectedValue(of: long.map(\.0), probabilities: long.map { $0.1 / total }, in: cut.collection)
    }

    public func excludedTexts(in collection: TextCollection) -> Int {
        cut(collection).isLongEnough.count { !$0 }
    }

    private func cut(_ collection: TextCollection) -> CutTexts {
        collection.derived("texts cut to \(words) words") {
            CutTexts(collection.texts.map { LengthControl.cut($0, toWords: words) }, facts: collection.facts)
        }
    }

    private struct CutTexts {
        let collection: TextCollection
        let isLongEnough: [Bool]

        init(_ texts: [String?], facts: AnswerFacts) {
            collection = TextCollection(texts.map { $0 ?? "" }, facts: facts)
            isLongEnough = texts.map { $0 != nil }
        }
    }
}
