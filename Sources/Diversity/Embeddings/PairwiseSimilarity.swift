/// Diversity as one minus the mean similarity over all pairs.
public enum PairwiseSimilarity {
    /// One minus the mean pairwise cosine of embeddings; nil for fewer than two.
    ///
    /// The time is linear in the number of texts: the mean over pairs follows from the norm of the sum of the unit vectors. A
    /// zero vector has cosine 0 with every other. Sums are accumulated in `Double`.
    ///
    /// - Parameter embeddings: one vector per text, all with the same number of channels.
    public static func diversity(ofEmbeddings embeddings: [[Float]]) -> Double? {
        guard embeddings.count > 1, let width = embeddings.first?.count else { return nil }
        var sum = [Double](repeating: 0, count: width)
        var nonZero = 0
        for vector in embeddings {
            precondition(vector.count == width, "embeddings of width \(width) and \(vector.count) in one set")
            let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > 0 else { continue }
            nonZero += 1
            for c in 0..<width { sum[c] += Double(vector[c]) / norm }
        }
        let pairs = Double(embeddings.count) * Double(embeddings.count - 1)
        let squaredNorm = sum.reduce(0) { $0 + $1 * $1 }
        return 1 - min(max((squaredNorm - Double(nonZero)) / pairs, -1), 1)
    }

    /// One minus the expected cosine of two embeddings drawn independently with probabilities proportional to `weights`:
    /// `1 − ‖Σ pᵢ uᵢ‖²`. Drawing the same text twice counts as a pair of copies. nil if no weight is positive.
    public static func expectedDiversity(ofEmbeddings embeddings: [[Float]], weights: [Double]) -> Double? {
        precondition(embeddings.count == weights.count, "\(weights.count) weights for \(embeddings.count) embeddings")
        let total = weights.reduce(0, +)
        guard total > 0, let width = embeddings.first?.count else { return nil }
        var sum = [Double](repeating: 0, count: width)
        for (vector, weight) in zip(embeddings, weights) {
            precondition(vector.count == width, "embeddings of width \(width) and \(vector.count) in one set")
            let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > 0 else { continue }
            for c in 0..<width { sum[c] += Double(vector[c]) / norm * (weight / total) }
        }
        return 1 - min(sum.reduce(0) { $0 + $1 * $1 }, 1)
    }

    /// One minus the mean of a symmetric similarity over all pairs of positions `i > j`; nil for fewer than two texts.
    ///
    /// - Parameters:
    ///   - count: the number of texts.
    ///   - similarity: called once for each pair, with `i > j`.
    public static func diversity(count: Int, _ similarity: (Int, Int) throws -> Double) rethrows -> Double? {
        try mean(count: count, similarity).map { 1 - $0 }
    }

    /// The mean of a symmetric quantity over all pairs of positions `i > j`; nil for fewer than two texts.
    public static func mean(count: Int, _ value: (Int, Int) throws -> Double) rethrows -> Double? {
        guard count > 1 else { return nil }
        var sum = 0.0
        for i in 1..<count { for j in 0..<i { sum += try value(i, j) } }
        return sum / (Double(count) * Double(count - 1) / 2)
    }
}
