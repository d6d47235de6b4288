public import Eval

/// Self-BLEU (Zhu et al., 2018): the mean over texts of the sentence BLEU of each text with all other texts as references, 0…1.
///
/// The sentence score is that of `sacrebleu` (13a tokenisation, effective order, exponential smoothing) divided by 100. All
/// texts are scored in one pass over their n-grams: the matches of a text are clipped by the highest count among the other
/// texts, which is the overall highest count unless the text itself has it, and then the second highest.
public enum SelfBLEU {
    /// The value for `texts`; nil for fewer than two. Lower is more diverse.
    public static func value(of texts: [String]) -> Double? {
        value(of: Array(texts.indices), in: TextCollection(texts))
    }

    static func value(of set: [Int], in collection: TextCollection) -> Double? {
        guard set.count > 1 else { return nil }
        let bleu = BLEU.sentence
        let index = collection.derived("13a n-grams up to order \(bleu.maximumOrder)") {
            NGramIndex(collection.texts, maximumOrder: bleu.maximumOrder) { text, table in
                Tokenizer13a.words(of: text, lowercases: false).map { table.id(of: $0) }
            }
        }
        let lengths = set.map { index.ngrams(of: $0, order: 1).count }
        let closest = closestOthers(lengths)
        var counts = lengths.indices.map { i in
            var counts = BLEU.Counts(maximumOrder: bleu.maximumOrder)
            counts.hypothesisLength = lengths[i]
            counts.referenceLength = closest[i]
            return counts
        }
        for order in 1...bleu.maximumOrder {
            var entries: [(id: Int32, position: Int, count: Int)] = []
            for (position, text) in set.enumerated() {
                counts[position].totals[order - 1] = index.ngrams(of: text, order: order).count
                for (id, count) in index.counts(of: text, order: order) { entries.append((id, position, count)) }
            }
            entries.sort { $0.id < $1.id }
            var start = 0
            while start < entries.count {
                var end = start
                var highest = (count: 0, position: -1)
                var second = 0
                while end < entries.count, entries[end].id == entries[start].id {
                    if entries[end].count > highest.count {
                        second = highest.count
                        highest = (entries[end].count, entries[end].position)
                    } else {
                        second = max(second, entries[end].count)
                    }
                    end += 1
                }
                for entry in entries[start..<end] {
                    let allowed = entry.position == highest.position ? second : highest.count
                    counts[entry.position].matches[order - 1] += min(entry.count, allowed)
                }
                start = end
            }
        }
        return counts.map { bleu.score(of: $0).score / 100 }.sorted().reduce(0, +) / Double(set.count)
    }

    /// For each length, the closest of the other lengths; the shorter of two equally close ones.
    private static func closestOthers(_ lengths: [Int]) -> [Int] {
        let order = lengths.indices.sorted { lengths[$0] < lengths[$1] }
        var closest = lengths
        for (rank, i) in order.enumerated() {
            let below = rank > 0 ? lengths[order[rank - 1]] : nil
            let above = rank + 1 < order.count ? lengths[order[rank + 1]] : nil
            switch (below, above) {
            case (let below?, let above?): closest[i] = above - lengths[i] < lengths[i] - below ? above : below
            case (let only?, nil), (nil, let only?): closest[i] = only
            case (nil, nil): break
            }
        }
        return closest
    }
}

/// Self-BLEU as a metric, `self_bleu`.
public struct SelfBLEUMetric: DiversityMetric {
    public let name = "self_bleu"
    public var higherIsMoreDiverse: Bool { false }
    public func range(ofTexts count: Int) -> MetricRange { .share }

    /// Creates the metric.
    public init() {}

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        SelfBLEU.value(of: set, in: collection)
    }
}
