// Products with weights that are packed once, in 32-bit floats.

/// A right-hand matrix B [depth, columns] in the order that the kernel reads it: panels of 64 columns.
package final class PackedFloats: Sendable {
    package let depth: Int
    package let columns: Int
    private let storage: Storage
    /// The build of the kernels that it was packed by, and that multiplies it.
    nonisolated(unsafe) private let form: FloatPanels

    /// Packs B[p, j] = `pointer[p · depthStride + j · columnStride]`.
    package init(depth: Int, columns: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int) {
        let form = FloatPanels(Kernels.current, depth: depth, columns: columns)
        let storage = Storage(byteCount: form.bytes(columns: columns, depth: depth))
        (self.depth, self.columns, self.form, self.storage) = (depth, columns, form, storage)
        Compute.forEach((columns + ProductParts.panel - 1) / ProductParts.panel) { index in
            let first = index * ProductParts.panel
            form.pack(
                columns: min(ProductParts.panel, columns - first), depth: depth, pointer + first * columnStride,
                depthStride: depthStride, columnStride: columnStride,
                into: storage.pointer + form.bytes(columns: first, depth: depth))
        }
    }

    /// C[rows, columns] = A · B + beta · C for rows of A that begin `rowStride` apart (`depth`, unless given), and beta 0 or 1;
    /// `stride` is that of C. What follows is called for every part of C when it is made, while it is in the cache.
    package func multiply(
        rows: Int, _ a: UnsafePointer<Float>, rowStride: Int? = nil, into c: UnsafeMutablePointer<Float>, stride: Int,
        beta: Float = 0, then following: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        let threads = ProductParts.isSmall(rows, columns, depth) ? 1 : Compute.threads
        form.withRows(of: .plain(a, stride: rowStride ?? depth), m: rows, k: depth, threads: threads) {
            multiply(rows: rows, $0, into: c, stride: stride, beta: beta, then: following)
        }
    }

    /// The same for rows in the form of ``FloatPanels``.
    func multiply(
        rows: Int, _ a: FloatPanels.Rows, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float,
        then following: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        ProductParts.forEach(rows: rows, columns: columns, depth: depth, rowUnit: form.rowUnit) { rows, columns in
            form.multiply(
                rows: rows, columns: columns.count, depth: depth, a,
                storage.pointer + form.bytes(columns: columns.lowerBound, depth: depth),
                into: c + rows.lowerBound * stride + columns.lowerBound, stride: stride, beta: beta)
            following(rows, columns)
        }
        withExtendedLifetime(self) {}
    }
}
