// Products of two matrices, the right-hand one of which is packed while it is multiplied.

/// C[m, n] = A[m, k] · B[k, n] + beta · C, with A and B each read as they are or transposed.
///
/// Every build uses the package's own kernels. Every element is one sum in an order that depends only on `k`, so the result does
/// not depend on the number of threads or on how a weight is stored. OpenBLAS does not guarantee that: the rounding of some of
/// its kernels depends on the shape of the block. It serves as a reference in tests (``BLAS``).
package enum MatrixProduct {
    /// The product of 32-bit floats, distributed over the threads of the scope; beta is 0 or 1.
    package static func multiply(
        m: Int, n: Int, k: Int, _ a: MatrixView, _ b: RightHandMatrix, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float = 0
    ) {
        let kernels = Kernels.current
        let plan = Kernels.plan(kernels, .matrices, rows: m, outputs: n, inputs: k, storage: .f32, precision: .f32)
        guard case .packedInPassing(let format) = plan else { preconditionFailure("two matrices must be packed in passing, not \(plan)") }
        multiply(kernels, format, m: m, n: n, k: k, a, b, into: c, stride: stride, beta: beta)
    }

    /// The product in a given panel format.
    static func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, m: Int, n: Int, k: Int, _ a: MatrixView, _ b: RightHandMatrix,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        if m == 0 || n == 0 { return }
        guard k > 0 else {
            // an empty sum
            if beta == 0 { for row in 0..<m { (c + row * stride).update(repeating: 0, count: n) } }
            return
        }
        let threads = ProductParts.isSmall(m, n, k) ? 1 : Compute.threads
        let layout = format.layout(kernels)
        let rows = layout.rows(of: a, m: m, k: k, threads: threads)
        defer { withExtendedLifetime(rows) {} }
        let panels = (n + ProductParts.panel - 1) / ProductParts.panel
        if threads > 1, panels < 4 * threads {
            return PackedWeight(kernels, format, depth: k, columns: n, b).multiply(rows: m, rows, into: c, stride: stride, beta: beta)
        }
        let groups = ProductParts.groups(panels: panels, rows: m, threads: threads)
        Compute.forChunks(groups.count, grain: threads == 1 ? groups.count : 1) { part in
            for group in groups[part] {
                let columns = group.lowerBound * ProductParts.panel..<min(n, group.upperBound * ProductParts.panel)
                multiplyGroup(layout, m: m, columns: columns, k: k, rows, b, into: c, stride: stride, beta: beta)
            }
        }
    }

    /// Computes some columns of C that begin with a panel. Packs as much of B at a time as stays in the cache while all rows of A
    /// are multiplied by it.
    static func multiplyGroup(
        _ layout: some PanelLayout, m: Int, columns: Range<Int>, k: Int, _ rows: PanelRows, _ b: RightHandMatrix,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        let (panel, depth) = (ProductParts.panel, min(k, layout.blockDepth))
        let packed = Storage(byteCount: layout.bytes(columns: columns.count, depth: depth))
        for from in Swift.stride(from: 0, to: k, by: depth) {
            let part = from..<min(k, from + depth)
            for first in Swift.stride(from: 0, to: columns.count, by: panel) {
                let begin = columns.lowerBound + first
                b.pack(
                    layout, depth: part, columns: begin..<min(columns.upperBound, begin + panel),
                    into: packed.pointer + layout.bytes(columns: first, depth: part.count))
            }
            layout.multiply(
                rows: 0..<m, columns: columns.count, depth: part.count, rows, from: from, packed.pointer, into: c + columns.lowerBound,
                stride: stride, beta: from == 0 ? beta : 1)
        }
        withExtendedLifetime(packed) {}
    }
}
