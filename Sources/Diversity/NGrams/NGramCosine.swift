/// One minus the mean pairwise cosine of n-gram count vectors.
///
/// The mean is computed without a loop over pairs: for unit vectors u, `Σ_{i≠j} u_i·u_j = ‖Σ u_i‖² − Σ ‖u_i‖²`.
public enum NGramCosine {
    /// The diversity of `texts`; nil for fewer than two. A text without any n-gram has cosine 0 with every other text.
    public static func diversity(
        of texts: [String], order: Int = 3, tokenisation: NGramTokenisation = .reference
    ) -> Double? {
        let index = NGramIndex(texts, maximumOrder: order, tokenisation: tokenisation)
        return diversity(of: Array(texts.indices), in: index, order: order)
    }

    static func diversity(of set: [Int], in index: NGramIndex, order: Int) -> Double? {
        guard set.count > 1 else { return nil }
        let (weights, nonEmpty) = unitVectors(of: set, in: index, order: order)
        var squaredNorm = 0.0
        forEachNGram(in: weights) { run in
            let sum = run.reduce(0) { $0 + $1.weight }
            squaredNorm += sum * sum
        }
        let pairs = Double(set.count) * Double(set.count - 1)
        return 1 - min(max((squaredNorm - Double(nonEmpty)) / pairs, 0), 1)
    }

    /// The expected diversity of two texts drawn independently with probabilities p: `1 − ‖Σ pᵢ uᵢ‖²`.
    static func expectedDiversity(of set: [Int], probabilities: [Double], in index: NGramIndex, order: Int) -> Double? {
        precondition(set.count == probabilities.count, "\(probabilities.count) probabilities for \(set.count) texts")
        guard !set.isEmpty else { return nil }
        var squaredNorm = 0.0
        forEachNGram(in: unitVectors(of: set, in: index, order: order).weights) { run in
            let sum = run.reduce(0) { $0 + $1.weight * probabilities[$1.position] }
            squaredNorm += sum * sum
        }
        return 1 - min(max(squaredNorm, 0), 1)
    }

    /// The cosines of all pairs of `set`, row-major; 1 on the diagonal and between texts that have no n-gram.
    static func kernel(of set: [Int], in index: NGramIndex, order: Int) -> [Double] {
        let count = set.count
        var kernel = [Double](repeating: 0, count: count * count)
        forEachNGram(in: unitVectors(of: set, in: index, order: order).weights) { run in
            for a in run { for b in run { kernel[a.position * count + b.position] += a.weight * b.weight } }
        }
        let isEmpty = set.map { index.ngrams(of: $0, order: order).isEmpty }
        for i in 0..<count {
            kernel[i * count + i] = 1
            if isEmpty[i] { for j in 0..<count where isEmpty[j] { kernel[i * count + j] = 1 } }
        }
        return kernel
    }

    private typealias Weight = (id: Int32, position: Int, weight: Double)

    /// The non-zero components of the unit vectors of all texts, sorted by n-gram, then by weight, so that sums do not depend
    /// on the order of the texts; and the number of texts that have any n-gram.
    private static func unitVectors(
        of set: [Int], in index: NGramIndex, order: Int
    ) -> (weights: [Weight], nonEmpty: Int) {
        var weights: [Weight] = []
        var nonEmpty = 0
        for (position, text) in set.enumerated() {
            let counts = index.counts(of: text, order: order)
            guard !counts.isEmpty else { continue }
            nonEmpty += 1
            let norm = Double(counts.reduce(0) { $0 + $1.count * $1.count }).squareRoot()
            for (id, count) in counts { weights.append((id, position, Double(count) / norm)) }
        }
        weights.sort { $0.id != $1.id ? $0.id < $1.id : $0.weight < $1.weight }
        return (weights, nonEmpty)
    }

    private static func forEachNGram(in weights: [Weight], _ body: (ArraySlice<Weight>) -> Void) {
        var start = 0
        while start < weights.count {
            var end = start + 1
            while end < weights.count, weights[end].id == weights[start].id { end += 1 }
            body(weights[start..<end])
            start = end
        }
    }
}
