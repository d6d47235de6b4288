public import Eval
import Foundation

/// Self-repetition (Salkar et al., 2022): how many of a text's phrases are repeated in other texts.
///
/// The value of a text is `log(1 + Σ_g number of other texts that contain g)` over its distinct n-grams g (n = 4, words
/// separated by white space). The metric is the mean over texts. Equal to `self_repetition_score` of the package `diversity`.
/// It is 0 if no text repeats another.
public enum SelfRepetition {
    /// The value for `texts`; nil for fewer than two. Lower is more diverse.
    public static func value(
        of texts: [String], order: Int = 4, tokenisation: NGramTokenisation = .whitespace
    ) -> Double? {
        let index = NGramIndex(texts, maximumOrder: order, tokenisation: tokenisation)
        return value(of: Array(texts.indices), in: index, order: order)
    }

    static func value(of set: [Int], in index: NGramIndex, order: Int) -> Double? {
        guard set.count > 1 else { return nil }
        var entries: [(id: Int32, position: Int)] = []
        for (position, text) in set.enumerated() {
            for (id, _) in index.counts(of: text, order: order) { entries.append((id, position)) }
        }
        entries.sort { $0.id < $1.id }
        var repetitions = [Int](repeating: 0, count: set.count)
        var start = 0
        while start < entries.count {
            var end = start + 1
            while end < entries.count, entries[end].id == entries[start].id { end += 1 }
            for entry in entries[start..<end] { repetitions[entry.position] += end - start - 1 }
            start = end
        }
        return repetitions.sorted().reduce(0) { $0 + log1p(Double($1)) } / Double(set.count)
    }
}

/// Self-repetition as a metric, `self_repetition`.
public struct SelfRepetitionMetric: DiversityMetric {
    public let name = "self_repetition"
    public var higherIsMoreDiverse: Bool { false }
    public func range(ofTexts count: Int) -> MetricRange { .notNegative }
    private let order: Int

    /// The metric for phrases of `order` words. Default: 4.
    public init(order: Int = 4) {
        self.order = order
    }

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        SelfRepetition.value(of: set, in: collection.ngrams(.whitespace, order: order), order: order)
    }
}
