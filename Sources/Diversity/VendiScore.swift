import Eval
import Foundation
import Tensor

/// The Vendi score (Friedman and Dieng, 2023): the effective number of different texts under a similarity.
///
/// With eigenvalues λ of `K / n` the score of order q is the exponential of their Rényi entropy. It is 1 for copies and
/// n for n texts that have nothing in common. Equal to the package `vendi-score` 0.0.3.
public enum VendiScore {
    /// The score of a kernel matrix.
    ///
    /// - Parameters:
    ///   - kernel: `count × count` similarities, row-major, symmetric positive semi-definite with ones on the diagonal.
    ///   - count: number of texts.
    ///   - order: q ≥ 0; 1 is Shannon's entropy, `.infinity` looks at the largest eigenvalue only, orders below 1 give
    ///     rare texts more weight. Order 0 is the rank (eigenvalues above 1e-9).
    /// - Returns: nil for fewer than two texts.
    /// - Throws: if the kernel is not finite or its eigenvalues do not converge.
    public static func score(kernel: [Double], count: Int, order: Double = 1) throws -> Double? {
        precondition(order >= 0, "the order of a Vendi score is not negative, got \(order)")
        precondition(
            kernel.count == count * count, "\(count) texts have \(count * count) similarities, got \(kernel.count)")
        guard count > 1 else { return nil }
        // the eigenvalues are divided, not the matrix: it may fill hundreds of megabytes
        let eigenvalues = try eigenvalues(of: kernel, order: count).map { $0 / Double(count) }
        return score(eigenvalues: eigenvalues, order: order)
    }

    /// The score of embeddings under their cosine; nil for fewer than two. A zero vector is unlike all others.
    ///
    /// The eigenvalues are taken of the smaller of the two Gram matrices, `count × count` or `width × width`; the
    /// non-zero ones agree.
    public static func score(ofEmbeddings embeddings: [[Float]], order: Double = 1) throws -> Double? {
        precondition(order >= 0, "the order of a Vendi score is not negative, got \(order)")
        guard embeddings.count > 1, let width = embeddings.first?.count else { return nil }
        var units: [Float] = []
        units.reserveCapacity(embeddings.count * width)
        for vector in embeddings {
            precondition(vector.count == width, "embeddings of width \(width) and \(vector.count) in one set")
            let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            if norm > 0 { units += vector.map { Float(Double($0) / norm) } }
        }
        // A zero vector is an eigenvector of its own with eigenvalue 1 / n, its similarity with itself being 1.
        let rows = width == 0 ? 0 : units.count / width
        let zeros = [Double](repeating: 1 / Double(embeddings.count), count: embeddings.count - rows)
        let gram = gramMatrix(of: units, rows: rows, width: width).map { Double($0) / Double(embeddings.count) }
        return score(eigenvalues: try eigenvalues(of: gram, order: min(rows, width)) + zeros, order: order)
    }

    /// The score of texts under the cosine of their n-gram counts; nil for fewer than two. Texts without an n-gram are
    /// alike.
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
        let positive = eigenvalues.filter { $0 > 0 }
        if order == 0 { return Double(positive.filter { $0 > 1e-9 }.count) }
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

    /// `U Uᵀ` of the rows, or `Uᵀ U` where there are more rows than columns.
    private static func gramMatrix(of units: [Float], rows: Int, width: Int) -> [Float] {
        let order = min(rows, width)
        var gram = [Float](repeating: 0, count: order * order)
        units.withUnsafeBufferPointer { units in
            gram.withUnsafeMutableBufferPointer { gram in
                guard let u = units.baseAddress, let g = gram.baseAddress else { return }
                let plain = BLAS.Matrix.plain(u, stride: width)
                let transposed = BLAS.Matrix.transposed(u, stride: width)
                if rows <= width {
                    FloatProduct.multiply(m: rows, n: rows, k: width, plain, transposed, into: g, stride: rows)
                } else {
                    FloatProduct.multiply(m: width, n: width, k: rows, transposed, plain, into: g, stride: width)
                }
            }
        }
        return gram
    }
}

/// The Vendi score of n-gram cosines, `vendi_score`.
public struct VendiMetric: DiversityMetric {
    public let name = "vendi_score"
    public var higherIsMoreDiverse: Bool { true }
    private let order: Double
    private let ngramOrder: Int
    private let tokenisation: NGramTokenisation

    /// Order 1 over single words unless said otherwise.
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
