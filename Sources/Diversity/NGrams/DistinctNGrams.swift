/// distinct-n (Li et al., 2016): the number of distinct n-grams divided by the number of all n-grams of a set of texts.
public enum DistinctNGrams {
    /// `unique / total`; 0 if there are no n-grams.
    public static func ratio(unique: Int, total: Int) -> Double {
        total == 0 ? 0 : Double(unique) / Double(total)
    }

    /// distinct-n of one order; nil for fewer than two texts.
    public static func value(of texts: [String], order: Int, tokenisation: NGramTokenisation = .reference) -> Double? {
        values(of: texts, orders: order...order, tokenisation: tokenisation)?.first
    }

    /// The mean of distinct-n over `orders`; nil for fewer than two texts.
    public static func averaged(
        of texts: [String], orders: ClosedRange<Int> = 1...5, tokenisation: NGramTokenisation = .reference
    ) -> Double? {
        guard let values = values(of: texts, orders: orders, tokenisation: tokenisation) else { return nil }
        return values.reduce(0, +) / Double(values.count)
    }

    private static func values(
        of texts: [String], orders: ClosedRange<Int>, tokenisation: NGramTokenisation
    ) -> [Double]? {
        guard texts.count > 1 else { return nil }
        var index = NGramIndex(texts, maximumOrder: orders.upperBound, tokenisation: tokenisation)
        return orders.map { order in
            let count = index.count(Array(texts.indices), order: order)
            return ratio(unique: count.unique, total: count.total)
        }
    }
}
