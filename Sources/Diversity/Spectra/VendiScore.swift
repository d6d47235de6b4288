public import Eval
import Foundation
import Tensor

/// The Vendi score (Friedman and Dieng, 2023): the effective number of different texts under a similarity.
///
/// With the eigenvalues λ of `K / n`, where K is the kernel matrix of n texts, the score of order q is the exponential of their
/// Rényi entropy. It is 1 if all texts are equal and n if no two texts have anything in common. It equals the package
/// `vendi-score` 0.0.3 for orders of at least 1. For orders below 1, rounding errors in eigenvalues that should be 0 (such as
/// those of copies) would be magnified, so they are dropped here.
public enum VendiScore {
    /// Eigenvalues up to this size, of a total of 1, are treated as rounding errors.
    private static let rounding = 1e-12

    /// The score of a kernel matrix.
    ///
    /// - Parameters:
    ///   - kernel: `count × count` similarities, row-major, symmetric positive semi-definite with ones on the diagonal.
    ///   - count: number of texts.
    ///   - order: q ≥ 0. 1 is the Shannon entropy, `.infinity` uses the largest eigenvalue only, and orders below 1 give rare
    ///     texts more weight. Order 0 is the rank.
    /// - Returns: the score, 1…count; nil for fewer than two texts.
    /// - Throws: ``DiversityError/eigenvaluesFailed(order:)`` if the kernel contains NaN or Inf, or its eigenvalues do not
    ///   converge.
    public static func score(kernel: [Double], count: Int, order: Double = 1) throws -> Double? {
        precondition(order >= 0, "the order of a Vendi score must be at least 0, got \(order)")
        precondition(
            kernel.count == count * count, "\(count) texts have \(count * count) similarities, got \(kernel.count)")
        guard count > 1 else { return nil }
        // divides the eigenvalues instead of the matrix, which may take hundreds of megabytes
        let eigenvalues = try eigenvalues(of: kernel, order: count).map { $0 / Double(count) }
        return score(eigenvalues: eigenvalues, order: order)
    }

    /// The score of embeddings under their cosine; nil for fewer than two. A zero vector has similarity 0 with all others.
    ///
    /// The eigenvalues are those of the smaller of the two Gram matrices, `count × count` or `width × width`, which have the
    /// same non-zero eigenvalues.
    /// - Throws: ``DiversityError/eigenvaluesFailed(order:)``.
    public static func score(ofEmbeddings embeddings: [[Float]], order: Double = 1) throws -> Double? {
        precondition(order >= 0, "the order of a Vendi score must be at least 0, got \(order)")
        guard embeddings.count > 1, let width = embeddings.first?.count else { return nil }
        // `Double`, since float sums would make copies differ from each other and change the rank.
        var units: [Double] = []
        units.reserveCapacity(embeddings.count * width)
        for vector in embeddings {
            precondition(vector.count == width, "embeddings of width \(width) and \(vector.count) in one set")
            let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            if norm > 0 { units += vector.map { Double($0) / norm } }
        }
        // A zero vector adds an eigenvalue of 1 / n, since its similarity with itself is 1.
        let rows = width == 0 ? 0 : units.count / width
        let zeros = [Double](repeating: 1 / Double(embeddings.count), count: embeddings.count - rows)
        let gram = BLAS.smallerGramMatrix(of: units, rows: rows, columns: width)
        let eigenvalues = try eigenvalues(of: gram, order: min(rows, width)).map { $0 / Double(embeddings.count) }
        return score(eigenvalues: eigenvalues + zeros, order: order)
    }

    /// The score of texts under the cosine of their n-gram counts; nil for fewer than two. Texts without any n-gram have
    /// similarity 1 with each other.
    /// - Throws: ``DiversityError/eigenvaluesFailed(order:)``.
    public static func score(
        of texts: [String], order: Double = 1, ngramOrder: Int = 1, tokenisation: NGramTokenisation = .reference
    ) throws -> Double? {
        let index = NGramIndex(texts, maximumOrder: ngramOrder, tokenisation: tokenisation)
        return try score(of: Array(texts.indices), in: index, order: order, ngramOrder: ngramOrder)
    }

    static func score(of set: [Int], in index: NGramIndex, order: Double, ngramOrder: Int) throws -> Double? {
        guard set.count > 1 else { return nil }
        return try score(
            kernel: NGramCosine.kernel(of: set, in: index, order: ngramOrder), count: set.count, order: order)
    }

    private static func score(eigenvalues: [Double], order: Double) -> Double {
        let positive = eigenvalues.filter { $0 > rounding }
        if order == 0 { return Double(positive.count) }
        if order == 1 { return exp(-positive.reduce(0) { $0 + $1 * log($1) }) }
        if order == .infinity { return 1 / (positive.max() ?? 1) }
        return pow(positive.reduce(0) { $0 + pow($1, order) }, 1 / (1 - order))
    }

    private static func eigenvalues(of matrix: [Double], order: Int) throws -> [Double] {
        if order == 0 { return [] }
        guard let values = BLAS.symmetricEigenvalues(matrix, order: order) else {
            throw DiversityError.eigenvaluesFailed(order: order)
        }
        return values
    }
}

/// The Vendi score under n-gram cosines as a metric, `vendi_score`.
public struct VendiMetric: DiversityMetric {
    public let name = "vendi_score"
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 1, greatest: Double(max(1, count))) }
    private let order: Double
    private let ngramOrder: Int
    private let tokenisation: NGramTokenisation

    /// The metric for an order and an n-gram order. Default: order 1, single words.
    public init(order: Double = 1, ngramOrder: Int = 1, tokenisation: NGramTokenisation = .reference) {
        self.order = order
        self.ngramOrder = ngramOrder
        self.tokenisation = tokenisation
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let index = collection.ngrams(tokenisation, order: ngramOrder)
        return try VendiScore.score(of: set, in: index, order: order, ngramOrder: ngramOrder)
    }
}
