public import Eval

/// ROUGE-L homogenisation (Padmakumar and He, 2024): the mean over all pairs of texts of their ROUGE-L F measure, computed as
/// in `rouge-score`; it is symmetric. Equal to `homogenization_score` of the package `diversity`, but without rounding.
public enum Homogenisation {
    /// The value for `texts`, 0…1; nil for fewer than two. Lower is more diverse.
    /// - Parameters:
    ///   - texts: the texts to compare.
    ///   - stems: whether words are reduced to their stems (Porter).
    public static func value(of texts: [String], stems: Bool = false) -> Double? {
        value(of: Array(texts.indices), in: TextCollection(texts), stems: stems)
    }

    /// The words of all texts as IDs.
    struct Words {
        var ids: [[Int32]]
        var vocabularySize: Int
        var longest: Int
    }

    /// The words of all texts as IDs, computed once per collection.
    static func words(of collection: TextCollection, stems: Bool) -> Words {
        collection.derived("rouge-score words, stems \(stems)") {
            var table = WordTable()
            let scorer = ROUGE.Standard(stems: stems)
            let ids = collection.texts.map { scorer.words(of: $0).map { table.id(of: $0) } }
            return Words(ids: ids, vocabularySize: table.count, longest: ids.reduce(0) { max($0, $1.count) })
        }
    }

    /// The expected F measure of two texts drawn independently with `probabilities`. A text has 1 with itself, or 0 if it has
    /// no words.
    static func expectedValue(
        of set: [Int], probabilities: [Double], in collection: TextCollection, stems: Bool
    ) -> Double? {
        precondition(set.count == probabilities.count, "\(probabilities.count) probabilities for \(set.count) texts")
        guard !set.isEmpty else { return nil }
        let words = words(of: collection, stems: stems)
        var matcher = LCSMatcher(vocabularySize: words.vocabularySize, maximumLength: words.longest)
        var sum = 0.0
        for i in set.indices {
            let first = words.ids[set[i]]
            guard !first.isEmpty else { continue }
            sum += probabilities[i] * probabilities[i]
            matcher.load(first)
            for j in 0..<i where !words.ids[set[j]].isEmpty {
                let second = words.ids[set[j]]
                let f = 2 * Double(matcher.length(with: second)) / Double(first.count + second.count)
                sum += 2 * probabilities[i] * probabilities[j] * f
            }
        }
        return sum
    }

    static func value(of set: [Int], in collection: TextCollection, stems: Bool) -> Double? {
        guard set.count > 1 else { return nil }
        let words = words(of: collection, stems: stems)
        var matcher = LCSMatcher(vocabularySize: words.vocabularySize, maximumLength: words.longest)
        var sums: [Double] = []
        for i in 1..<set.count {
            let first = words.ids[set[i]]
            guard !first.isEmpty else { continue }
            matcher.load(first)
            var sum = 0.0
            for j in 0..<i {
                let second = words.ids[set[j]]
                if second.isEmpty { continue }
                sum += 2 * Double(matcher.length(with: second)) / Double(first.count + second.count)
            }
            sums.append(sum)
        }
        return sums.reduce(0, +) / (Double(set.count) * Double(set.count - 1) / 2)
    }
}

/// ROUGE-L homogenisation as a metric, `rouge_l_homogenisation`.
public struct HomogenisationMetric: DiversityMetric {
    public let name = "rouge_l_homogenisation"
    public var higherIsMoreDiverse: Bool { false }
    public var isMeanOverPairs: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let stems: Bool

    /// The metric with or without stemming.
    public init(stems: Bool = false) {
        self.stems = stems
    }

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        Homogenisation.value(of: set, in: collection, stems: stems)
    }

    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) -> Double? {
        Homogenisation.expectedValue(of: texts, probabilities: probabilities, in: collection, stems: stems)
    }
}
