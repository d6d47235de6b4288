// Products of matrices of 32-bit floats.

/// C[m, n] = A[m, k] · B[k, n] + beta · C, each of A and B read as it stands or transposed.
///
/// The package's own kernel makes it, in every build. Every number is one sum in an order that depends on `k` alone, so neither the number
/// of threads nor the way in which a weight is stored shows in it. OpenBLAS cannot promise that: some of its kernels round by the shape of
/// the part that they are given. It remains the judge of ours (``BLAS``).
package enum FloatProduct {
    /// The product, shared out among the threads of the scope; beta is 0 or 1.
    package static func multiply(
        m: Int, n: Int, k: Int, _ a: BLAS.Matrix, _ b: BLAS.Matrix, into c: UnsafeMutablePointer<Float>, stride: Int,
        beta: Float = 0
    ) {
        let kernels = Kernels.current
        if m == 0 || n == 0 { return }
        guard k > 0 else {
            // an empty sum
            if beta == 0 { for row in 0..<m { (c + row * stride).update(repeating: 0, count: n) } }
            return
        }
        multiply(
            kernels, threads: ProductParts.isSmall(m, n, k) ? 1 : Compute.threads, m: m, n: n, k: k, a, b, into: c, stride: stride,
            beta: beta)
    }

    /// The same on the calling thread, for matrices that are not empty. The kernels are those of the thread that shares the work out.
    static func multiplyPart(
        _ kernels: UnsafePointer<Kernels.Table>, m: Int, n: Int, k: Int, _ a: BLAS.Matrix, _ b: BLAS.Matrix,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float = 0
    ) {
        multiply(kernels, threads: 1, m: m, n: n, k: k, a, b, into: c, stride: stride, beta: beta)
    }

    private static func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, threads: Int, m: Int, n: Int, k: Int, _ a: BLAS.Matrix,
        _ b: BLAS.Matrix, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        let form = FloatPanels(kernels, depth: k, columns: n)
        form.withRows(of: a, m: m, k: k, threads: threads) { rows in
            let panels = (n + ProductParts.panel - 1) / ProductParts.panel
            if threads > 1, panels < 4 * threads {
                return PackedFloats(depth: k, columns: n, b.pointer, depthStride: b.rowStride, columnStride: b.columnStride)
                    .multiply(rows: m, rows, into: c, stride: stride, beta: beta)
            }
            let groups = ProductParts.groups(panels: panels, threads: threads)
            Compute.forChunks(groups.count, grain: threads == 1 ? groups.count : 1) { part in
                for group in groups[part] {
                    let columns = group.lowerBound * ProductParts.panel..<min(n, group.upperBound * ProductParts.panel)
                    multiplyGroup(form, m: m, columns: columns, k: k, rows, b, into: c, stride: stride, beta: beta)
                }
            }
        }
    }

    /// Some columns of C, which begin with a panel: as much of B is packed at a time as stays in the cache while all rows of A pass by.
    private static func multiplyGroup(
        _ form: FloatPanels, m: Int, columns: Range<Int>, k: Int, _ rows: FloatPanels.Rows, _ b: BLAS.Matrix,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        let (panel, depth) = (ProductParts.panel, min(k, form.blockDepth))
        let packed = Storage(byteCount: form.bytes(columns: columns.count, depth: depth))
        for from in Swift.stride(from: 0, to: k, by: depth) {
            let count = min(depth, k - from)
            for first in Swift.stride(from: 0, to: columns.count, by: panel) {
                form.pack(
                    columns: min(panel, columns.count - first), depth: count,
                    b.pointer + from * b.rowStride + (columns.lowerBound + first) * b.columnStride,
                    depthStride: b.rowStride, columnStride: b.columnStride,
                    into: packed.pointer + form.bytes(columns: first, depth: count))
            }
            form.multiply(
                rows: 0..<m, columns: columns.count, depth: count, rows, from: from, packed.pointer, into: c + columns.lowerBound,
                stride: stride, beta: from == 0 ? beta : 1)
        }
        withExtendedLifetime(packed) {}
    }
}
