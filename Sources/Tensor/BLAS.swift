// The one file that imports COpenBLAS.
import COpenBLAS

/// Matrix factorisations by LAPACKE, and matrix products by OpenBLAS, which serve as a reference for the package's own
/// (``MatrixProduct``).
package enum BLAS {
    /// Limits OpenBLAS to one thread; parallelism comes from the package's thread pool. OpenBLAS has not started any threads by
    /// then either: see `CKernels/openblas.c`.
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// The name and version of OpenBLAS, and the processor core that its kernels are optimised for.
    package static var description: String {
        let configuration = String(cString: openblas_get_config()).split(separator: " ").prefix(2).joined(separator: " ")
        return "\(configuration), core \(String(cString: openblas_get_corename()))"
    }

    /// C[m, n] = A[m, k] · B[k, n] + beta · C, on the calling thread. The last bits may depend on the shape of the product.
    package static func multiply(
        m: Int, n: Int, k: Int, _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, stride cStride: Int,
        beta: Float = 0
    ) {
        _ = singleThreaded
        if m == 0 || n == 0 { return }
        if k == 0 {
            // an empty sum; BLAS would reject the leading dimension of 0 that such matrices have
            if beta == 0 { for row in 0..<m { (c + row * cStride).update(repeating: 0, count: n) } }
            return
        }
        cblas_sgemm(
            CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, Int32(m),
            Int32(n), Int32(k), 1, a.pointer, Int32(a.stride), b.pointer, Int32(b.stride), beta, c, Int32(cStride))
    }

    /// The upper triangle of the smaller Gram matrix of a row-major matrix: A Aᵀ, or Aᵀ A if A has more rows than columns. The
    /// non-zero eigenvalues of both agree. The lower triangle is 0.
    package static func smallerGramMatrix(of a: [Double], rows: Int, columns: Int) -> [Double] {
        _ = singleThreaded
        precondition(a.count == rows * columns, "a matrix of \(rows) × \(columns) has \(rows * columns) elements, got \(a.count)")
        let order = min(rows, columns)
        var gram = [Double](repeating: 0, count: order * order)
        if order == 0 { return gram }
        cblas_dsyrk(
            CblasRowMajor, CblasUpper, rows > columns ? CblasTrans : CblasNoTrans, Int32(order), Int32(max(rows, columns)), 1, a,
            Int32(columns), 0, &gram, Int32(order))
        return gram
    }

    /// Replaces a row-major matrix with at least as many rows as columns by the orthogonal factor Q of A = QR.
    /// - Returns: whether LAPACK succeeded.
    package static func orthogonalise(rows: Int, columns: Int, _ a: inout [Float]) -> Bool {
        var tau = [Float](repeating: 0, count: columns)
        var signs = [Float](repeating: 1, count: columns)
        guard LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, Int32(rows), Int32(columns), &a, Int32(columns), &tau) == 0
        else { return false }
        // make R's diagonal positive: then Q is uniformly distributed (Haar measure; Mezzadri 2007)
        for j in 0..<columns where a[j * columns + j] < 0 { signs[j] = -1 }
        guard
            LAPACKE_sorgqr(
                LAPACK_ROW_MAJOR, Int32(rows), Int32(columns), Int32(columns), &a, Int32(columns), &tau)
                == 0
        else { return false }
        for i in 0..<rows { for j in 0..<columns { a[i * columns + j] *= signs[j] } }
        return true
    }

    /// The eigenvalues of a symmetric, row-major matrix, in ascending order; nil if LAPACK does not converge. Only the upper
    /// triangle is read.
    package static func symmetricEigenvalues(_ matrix: [Double], order: Int) -> [Double]? {
        var a = matrix
        var values = [Double](repeating: 0, count: order)
        guard LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 78 /* N */, 85 /* U */, Int32(order), &a, Int32(order), &values) == 0
        else { return nil }
        return values
    }
}
