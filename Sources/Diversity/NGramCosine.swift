/// One minus the mean pairwise cosine of n-gram count vectors.
///
/// The mean over pairs needs no loop over pairs: with unit vectors u, `Σ_{i≠j} u_i·u_j = ‖Σ u_i‖² − Σ ‖u_i‖²`.
public enum NGramCosine {
    /// The diversity of `texts`; nil for fewer than two. A text without an n-gram has cosine 0 with every other.
    public static func diversity(
        of texts: [String], order: Int = 3, tokenisation: NGramTokenisation = .reference
    ) -> Double? {
        let index = NGramIndex(texts, maximumOrder: order, tokenisation: tokenisation)
        return diversity(of: Array(texts.indices), in: index, order: order)
    }

    package static func diversity(of set: [Int], in index: NGramIndex, order: Int) -> Double? {
        guard set.count > 1 else { return nil }
        var weights: [(id: Int32, weight: Double)] = []
        var nonEmpty = 0
        for text in set {
            let counts = index.counts(of: text, order: order)
            guard !counts.isEmpty else { continue }
            nonEmpty += 1
            let norm = Double(counts.reduce(0) { $0 + $1.count * $1.count }).squareRoot()
            for (id, count) in counts { weights.append((id, Double(count) / norm)) }
        }
        weights.sort { $0.id != $1.id ? $0.id < $1.id : $0.weight < $1.weight }  // order of texts never matters
        var squaredNorm = 0.0
        var start = 0
        while start < weights.count {
            var sum = 0.0
            var end = start
            while end < weights.count, weights[end].id == weights[start].id {
                sum += weights[end].weight
                end += 1
            }
            squaredNorm += sum * sum
            start = end
        }
        let pairs = Double(set.count) * Double(set.count - 1)
        return 1 - min(max((squaredNorm - Double(nonEmpty)) / pairs, 0), 1)
    }
}
