// Products with weights that are packed once, in 32-bit floats.

/// A right-hand matrix B [depth, columns] in the order that the kernel reads it: panels of 64 columns.
package final class PackedFloats: Sendable {
    package let depth: Int
    package let columns: Int
    private let storage: Storage

    /// Work is cut at multiples of these many rows: those that a group of panels is used by in one go.
    static var rowUnit: Int { Kernels.groupRows }

    /// Whether some build of the kernels multiplies floats faster than OpenBLAS does here.
    package static func isUseful(_ kernels: UnsafePointer<Kernels.Table> = Kernels.current) -> Bool {
        kernels.pointee.f32_product != nil && (kernels.pointee.is_wide != 0 || !BLAS.knowsProcessor)
    }

    /// Packs B[p, j] = `pointer[p · depthStride + j · columnStride]`.
    package init(depth: Int, columns: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int) {
        (self.depth, self.columns) = (depth, columns)
        storage = Storage(byteCount: depth * ((columns + 15) / 16 * 16) * 4)
        let kernels = Kernels.current
        storage.withFloats { out in
            Compute.forEach((columns + ProductParts.panel - 1) / ProductParts.panel) { index in
                let first = index * ProductParts.panel
                kernels.pointee.f32_pack(
                    min(ProductParts.panel, columns - first), depth, pointer + first * columnStride, depthStride, columnStride,
                    out + first * depth)
            }
        }
    }

    /// C[rows, columns] = A · B + beta · C for rows of A that begin `rowStride` apart (`depth`, unless given), and beta 0 or 1;
    /// `stride` is that of C.
    package func multiply(
        rows: Int, _ a: UnsafePointer<Float>, rowStride: Int? = nil, into c: UnsafeMutablePointer<Float>, stride: Int,
        beta: Float = 0
    ) {
        let rowStride = rowStride ?? depth
        let kernels = Kernels.current
        ProductParts.forEach(rows: rows, columns: columns, depth: depth, rowUnit: Self.rowUnit) { rows, columns in
            multiply(
                kernels, rows: rows.count, panels: columns, a + rows.lowerBound * rowStride, rowStride: rowStride,
                into: c + rows.lowerBound * stride + columns.lowerBound, stride: stride, beta: beta)
        }
    }

    /// The same for some columns, by the calling thread; they begin with a panel and end with one or with the last column.
    /// The kernels are those of the thread that shares the work out.
    func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, rows: Int, panels columns: Range<Int>, _ a: UnsafePointer<Float>,
        rowStride: Int, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float = 0
    ) {
        guard let product = kernels.pointee.f32_product else {
            preconditionFailure("this build of the kernels has no product with packed floats")
        }
        storage.withFloats { packed in
            product(
                rows, columns.count, depth, a, rowStride, packed + columns.lowerBound * depth, c, stride, beta == 0 ? 0 : 1)
        }
    }
}
