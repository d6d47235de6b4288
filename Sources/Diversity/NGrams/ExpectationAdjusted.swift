import Foundation

/// Expectation-adjusted distinct n-grams, EAD (Liu et al., 2022): the number of distinct n-grams divided by the expected number
/// of distinct values among as many uniform draws from V values. Unlike distinct-n, it does not fall merely because texts get
/// longer.
public enum ExpectationAdjusted {
    /// The vocabulary size of published values: the number of tokens of GPT-2.
    public static let defaultVocabularySize = 50257

    /// `N / (V · (1 − ((V − 1) / V)^C))` with N distinct and C total n-grams; 0 if C is 0.
    ///
    /// `1 − ((V − 1) / V)^C` is computed as `−expm1(C · log1p(−1 / V))`, which keeps full precision for large V.
    public static func ratio(unique: Int, total: Int, vocabularySize: Int = defaultVocabularySize) -> Double {
        precondition(vocabularySize >= 1, "EAD needs a vocabulary of at least one, got \(vocabularySize)")
        guard total > 0 else { return 0 }
        let v = Double(vocabularySize)
        return Double(unique) / (v * -expm1(Double(total) * log1p(-1 / v)))
    }

    /// EAD of one order; nil for fewer than two texts.
    public static func value(
        of texts: [String], order: Int, vocabularySize: Int = defaultVocabularySize,
        tokenisation: NGramTokenisation = .reference
    ) -> Double? {
        values(of: texts, orders: order...order, vocabularySize, tokenisation)?.first
    }

    /// The mean of EAD over `orders`; nil for fewer than two texts.
    public static func averaged(
        of texts: [String], orders: ClosedRange<Int> = 1...5, vocabularySize: Int = defaultVocabularySize,
        tokenisation: NGramTokenisation = .reference
    ) -> Double? {
        guard let values = values(of: texts, orders: orders, vocabularySize, tokenisation) else { return nil }
        return values.reduce(0, +) / Double(values.count)
    }

    private static func values(
        of texts: [String], orders: ClosedRange<Int>, _ vocabularySize: Int, _ tokenisation: NGramTokenisation
    ) -> [Double]? {
        guard texts.count > 1 else { return nil }
        var index = NGramIndex(texts, maximumOrder: orders.upperBound, tokenisation: tokenisation)
        return orders.map { order in
            let count = index.count(Array(texts.indices), order: order)
            return ratio(unique: count.unique, total: count.total, vocabularySize: vocabularySize)
        }
    }
}
