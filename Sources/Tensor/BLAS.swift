// The one file that imports COpenBLAS.
import COpenBLAS

/// Matrix products and factorisations by OpenBLAS and LAPACKE.
package enum BLAS {
    /// OpenBLAS keeps to one thread: the package's own pool cuts the product into parts, so there are never two pools at work.
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// Whether OpenBLAS has chosen kernels with the vectors of this processor. For one that is younger than itself it takes those for
    /// vectors of four floats, whose names these are.
    static let knowsProcessor: Bool = {
        guard let name = openblas_get_corename() else { return false }
        return !["Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Generic", "Unknown"].contains(String(cString: name))
    }()

    /// A row-major matrix in memory, read as it stands or transposed.
    package struct Matrix {
        let pointer: UnsafePointer<Float>
        let stride: Int
        let transposed: Bool

        /// How far apart neighbours in a column, and in a row, of the matrix as it is read are.
        var rowStride: Int { transposed ? 1 : stride }
        var columnStride: Int { transposed ? stride : 1 }

        /// Rows of numbers, `stride` apart.
        package static func plain(_ pointer: UnsafePointer<Float>, stride: Int) -> Matrix {
            Matrix(pointer: pointer, stride: stride, transposed: false)
        }
        /// The same memory read column by column.
        package static func transposed(_ pointer: UnsafePointer<Float>, stride: Int) -> Matrix {
            Matrix(pointer: pointer, stride: stride, transposed: true)
        }
    }

    /// C[m, n] = A[m, k] · B[k, n] + beta · C.
    package static func multiply(
        m: Int, n: Int, k: Int, _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride cStride: Int,
        beta: Float = 0
    ) {
        _ = singleThreaded
        if m == 0 || n == 0 { return }
        if k == 0 {
            // an empty sum; BLAS would refuse the strides of 0 that such matrices have
            if beta == 0 { for row in 0..<m { (c + row * cStride).update(repeating: 0, count: n) } }
            return
        }
        // cut along the longer side, in multiples of 16 so that every part runs whole tiles; OpenBLAS has other kernels, with other
        // roundings, for products of up to a million multiplications: no part is so small, or its bits would depend on the threads
        let byRows = m >= n
        let parts = min(Compute.threads, max(1, m * n * k / 2_000_000), max(1, (byRows ? m : n) / 16))
        let grain = (((byRows ? m : n) + parts - 1) / parts + 15) / 16 * 16
        Compute.forChunks(byRows ? m : n, grain: parts == 1 ? Int.max : grain) { part in
            let (rows, columns) = byRows ? (part, 0..<n) : (0..<m, part)
            multiplyPart(
                m: rows.count, n: columns.count, k: k,
                Matrix(
                    pointer: a.pointer + (a.transposed ? rows.lowerBound : rows.lowerBound * a.stride),
                    stride: a.stride,
                    transposed: a.transposed),
                Matrix(
                    pointer: b.pointer + (b.transposed ? columns.lowerBound * b.stride : columns.lowerBound),
                    stride: b.stride, transposed: b.transposed),
                into: c + rows.lowerBound * cStride + columns.lowerBound, stride: cStride, beta: beta)
        }
    }

    /// The same on the calling thread, for matrices that are not empty.
    static func multiplyPart(
        m: Int, n: Int, k: Int, _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride cStride: Int,
        beta: Float = 0
    ) {
        _ = singleThreaded
        cblas_sgemm(
            CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, Int32(m),
            Int32(n), Int32(k), 1, a.pointer, Int32(a.stride), b.pointer, Int32(b.stride), beta, c, Int32(cStride))
    }

    /// The upper triangle of A Aᵀ of a row-major matrix, or of Aᵀ A where it has more rows than columns; their eigenvalues other than 0
    /// agree. The lower triangle is 0.
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

    /// The orthogonal factor Q of A = QR for a row-major matrix with at least as many rows as columns, in place.
    package static func orthogonalise(rows: Int, columns: Int, _ a: inout [Float]) -> Bool {
        var tau = [Float](repeating: 0, count: columns)
        var signs = [Float](repeating: 1, count: columns)
        guard LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, Int32(rows), Int32(columns), &a, Int32(columns), &tau) == 0
        else { return false }
        // R's diagonal made positive: then Q is distributed uniformly (Mezzadri 2007)
        for j in 0..<columns where a[j * columns + j] < 0 { signs[j] = -1 }
        guard
            LAPACKE_sorgqr(
                LAPACK_ROW_MAJOR, Int32(rows), Int32(columns), Int32(columns), &a, Int32(columns), &tau)
                == 0
        else { return false }
        for i in 0..<rows { for j in 0..<columns { a[i * columns + j] *= signs[j] } }
        return true
    }

    /// The eigenvalues of a symmetric matrix given row by row, in ascending order; nil when LAPACK does not converge. Only the upper
    /// triangle is read.
    package static func symmetricEigenvalues(_ matrix: [Double], order: Int) -> [Double]? {
        var a = matrix
        var values = [Double](repeating: 0, count: order)
        guard LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 78 /* N */, 85 /* U */, Int32(order), &a, Int32(order), &values) == 0
        else { return nil }
        return values
    }
}
