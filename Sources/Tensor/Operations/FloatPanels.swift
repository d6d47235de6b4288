// The two forms in which the kernels multiply matrices of 32-bit floats.

/// How the two sides of a product of floats lie in memory: as floats, or, where the processor has tile registers, split into three
/// bfloat16 numbers each, which multiplies them faster and loses no more to rounding (see `split.inc.h`).
///
/// The right-hand matrix lies in panels of 64 columns, the left-hand one row by row. Which form is used depends on the right-hand matrix
/// alone: a row has the same product whatever other rows there are.
struct FloatPanels {
    /// Rows of a left-hand matrix: floats that many floats apart, or tiles of 16 rows that many tiles apart.
    struct Rows {
        let pointer: UnsafeRawPointer
        let stride: Int
    }

    let kernels: UnsafePointer<Kernels.Table>
    let isSplit: Bool

    /// The form for a right-hand matrix of a size; the kernels are those of the thread that shares the work out.
    init(_ kernels: UnsafePointer<Kernels.Table>, depth: Int, columns: Int) {
        self.kernels = kernels
        // in tiles of 16 by 32 a small matrix would be mostly zeros
        isSplit = kernels.pointee.split_product != nil && depth >= 16 && columns >= 16
    }

    /// Work is cut at multiples of these many rows: those that a group of panels is used by in one go.
    var rowUnit: Int { isSplit ? 32 : Kernels.groupRows }

    /// As much of the depth as should be packed at a time where a panel is used once. The sums have the order that they have in one go.
    var blockDepth: Int { isSplit ? 2 * Kernels.splitDepth : Kernels.panelDepth }

    /// Tiles along a depth.
    private func steps(_ depth: Int) -> Int { (depth + 31) / 32 }

    /// How many bytes behind the first panel that one begins which has `columns` columns before it; for all columns, what the panels need.
    func bytes(columns: Int, depth: Int) -> Int {
        let whole = (columns + 15) / 16
        return isSplit ? whole * steps(depth) * Kernels.splitTile * 4 : whole * 16 * depth * 4
    }

    /// Packs one panel: B[p, j] = `pointer[p · depthStride + j · columnStride]`.
    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) {
        if isSplit {
            kernels.pointee.split_panel(
                columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: UInt32.self), steps(depth))
        } else {
            kernels.pointee.f32_pack(
                columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: Float.self))
        }
    }

    /// Calls `body` with the rows of A[m, k] as they are multiplied: as they stand, or a copy of them.
    func withRows(of a: BLAS.Matrix, m: Int, k: Int, threads: Int, _ body: (Rows) -> Void) {
        if isSplit {
            let (steps, grain) = (steps(k), threads == 1 ? m : 16 * max(1, 16_384 / k))
            Storage(byteCount: (m + 15) / 16 * steps * Kernels.splitTile * 4).withPairs { tiles in
                Compute.forChunks(m, grain: grain) { part in
                    kernels.pointee.split_rows(
                        part.count, k, a.pointer + part.lowerBound * a.rowStride, a.rowStride, a.columnStride,
                        tiles + part.lowerBound / 16 * steps * Kernels.splitTile)
                }
                body(Rows(pointer: UnsafeRawPointer(tiles), stride: steps))
            }
        } else if a.transposed {
            // packing k columns of m rows in one panel is writing them row by row, with zeros up to a multiple of 16
            let width = (k + 15) / 16 * 16
            Storage(byteCount: m * width * 4).withFloats { rows in
                Compute.forChunks(m, grain: threads == 1 ? m : 16 * max(1, 4096 / width)) { part in
                    kernels.pointee.f32_pack(
                        k, part.count, a.pointer + part.lowerBound, 1, a.stride, rows + part.lowerBound * width)
                }
                body(Rows(pointer: UnsafeRawPointer(rows), stride: width))
            }
        } else {
            body(Rows(pointer: UnsafeRawPointer(a.pointer), stride: a.stride))
        }
    }

    /// C[rows, columns] = A · B + beta · C on the calling thread, for rows that begin with a multiple of ``rowUnit`` and panels that were packed
    /// with `depth` numbers of every column, which are multiplied by those of A behind `from`, a multiple of 32.
    func multiply(
        rows: Range<Int>, columns: Int, depth: Int, _ a: Rows, from: Int = 0, _ panels: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        if isSplit {
            let tiles = a.pointer.assumingMemoryBound(to: UInt32.self)
            kernels.pointee.split_product(
                rows.count, columns, depth, tiles + (rows.lowerBound / 16 * a.stride + from / 32) * Kernels.splitTile, a.stride,
                panels.assumingMemoryBound(to: UInt32.self), c, stride, beta == 0 ? 0 : 1)
        } else {
            let floats = a.pointer.assumingMemoryBound(to: Float.self)
            kernels.pointee.f32_product(
                rows.count, columns, depth, floats + rows.lowerBound * a.stride + from, a.stride,
                panels.assumingMemoryBound(to: Float.self), c, stride, beta == 0 ? 0 : 1)
        }
    }
}
