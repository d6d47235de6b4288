// The forms in which kernels multiply matrices. A form is one type here and one line in `PanelFormat`.

/// What a packed matrix is made of.
package enum PanelFormat: CaseIterable, Sendable {
    /// 32-bit floats.
    case floats
    /// Floats as the sums of three bfloat16 numbers each, for tile registers (`split.inc.h`): no more is lost to rounding.
    case split
    /// Numbers rounded to bfloat16 (`bfloat16.inc.h`).
    case bf16

    /// How the kernels of a table read it.
    func layout(_ kernels: UnsafePointer<Kernels.Table>) -> any PanelLayout {
        switch self {
        case .floats: FloatLayout(kernels: kernels)
        case .split: SplitLayout(kernels: kernels)
        case .bf16: BFloat16Layout(kernels: kernels)
        }
    }
}

/// How the two sides of a product lie in memory while one table of kernels multiplies them.
///
/// The right-hand matrix lies in panels of 64 columns (``ProductParts/panel``), the last one of as many 16s as it needs; the left-hand one
/// row by row. Every number of a product is one sum in an order that depends on the depth alone: a row has the same product
/// whatever other rows there are, and however the work is cut.
protocol PanelLayout {
    /// Work is cut at multiples of these many rows.
    var rowUnit: Int { get }

    /// As much of the depth as should be packed at a time where a panel is used once. The sums have the order that they have in one go.
    var blockDepth: Int { get }

    /// How many bytes behind the first panel that one begins which has `columns` columns before it; for all columns, what the panels need.
    func bytes(columns: Int, depth: Int) -> Int

    /// Packs one panel: B[p, j] = `pointer[p · depthStride + j · columnStride]`.
    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer)

    /// Calls `body` with the rows of A[m, k] as they are multiplied: as they stand, or a copy of them that `threads` threads make.
    func withRows(of a: MatrixView, m: Int, k: Int, threads: Int, _ body: (PanelRows) -> Void)

    /// C[rows, columns] = A · B + beta · C on the calling thread, for rows that begin with a multiple of ``rowUnit`` and panels that were packed
    /// with `depth` numbers of every column, which are multiplied by those of A behind `from`, a multiple of ``blockDepth``; beta is 0 or 1.
    func multiply(
        rows: Range<Int>, columns: Int, depth: Int, _ a: PanelRows, from: Int, _ panels: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float)
}

/// Rows of a left-hand matrix as a layout reads them, `stride` of the layout's units apart.
struct PanelRows {
    let pointer: UnsafeRawPointer
    let stride: Int
}

/// Panels of floats; rows of floats, that many floats apart.
struct FloatLayout: PanelLayout {
    let kernels: UnsafePointer<Kernels.Table>

    /// Those rows that a group of panels is used by in one go.
    var rowUnit: Int { Kernels.groupRows }
    var blockDepth: Int { Kernels.panelDepth }

    func bytes(columns: Int, depth: Int) -> Int { (columns + 15) / 16 * 16 * depth * 4 }

    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) { kernels.pointee.f32_pack(columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: Float.self)) }

    func withRows(of a: MatrixView, m: Int, k: Int, threads: Int, _ body: (PanelRows) -> Void) {
        guard a.transposed else { return body(PanelRows(pointer: UnsafeRawPointer(a.pointer), stride: a.stride)) }
        // packing k columns of m rows in one panel is writing them row by row, with zeros up to a multiple of 16
        let width = (k + 15) / 16 * 16
        Storage(byteCount: m * width * 4).withFloats { rows in
            Compute.forChunks(m, grain: threads == 1 ? m : 16 * max(1, 4096 / width)) { part in
                kernels.pointee.f32_pack(k, part.count, a.pointer + part.lowerBound, 1, a.stride, rows + part.lowerBound * width)
            }
            body(PanelRows(pointer: UnsafeRawPointer(rows), stride: width))
        }
    }

    func multiply(
        rows: Range<Int>, columns: Int, depth: Int, _ a: PanelRows, from: Int, _ panels: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        let floats = a.pointer.assumingMemoryBound(to: Float.self)
        kernels.pointee.f32_product(
            rows.count, columns, depth, floats + rows.lowerBound * a.stride + from, a.stride, panels.assumingMemoryBound(to: Float.self), c,
            stride, beta == 0 ? 0 : 1)
    }
}

/// Panels and rows of tiles, 16 columns or rows by 32 numbers of depth; the tiles of 16 rows begin that many tiles apart.
struct SplitLayout: PanelLayout {
    let kernels: UnsafePointer<Kernels.Table>

    var rowUnit: Int { 32 }
    var blockDepth: Int { 2 * Kernels.splitDepth }

    /// Tiles along a depth.
    private func steps(_ depth: Int) -> Int { (depth + 31) / 32 }

    func bytes(columns: Int, depth: Int) -> Int { (columns + 15) / 16 * steps(depth) * Kernels.splitTile * 4 }

    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) {
        kernels.pointee.split_panel(
            columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: UInt32.self), steps(depth))
    }
    func withRows(of a: MatrixView, m: Int, k: Int, threads: Int, _ body: (PanelRows) -> Void) {
        let (steps, grain) = (steps(k), threads == 1 ? m : 16 * max(1, 16_384 / k))
        Storage(byteCount: (m + 15) / 16 * steps * Kernels.splitTile * 4).withPairs { tiles in
            Compute.forChunks(m, grain: grain) { part in
                kernels.pointee.split_rows(
                    part.count, k, a.pointer + part.lowerBound * a.rowStride, a.rowStride, a.columnStride,
                    tiles + part.lowerBound / 16 * steps * Kernels.splitTile)
            }
            body(PanelRows(pointer: UnsafeRawPointer(tiles), stride: steps))
        }
    }
    func multiply(
        rows: Range<Int>, columns: Int, depth: Int, _ a: PanelRows, from: Int, _ panels: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        let tiles = a.pointer.assumingMemoryBound(to: UInt32.self)
        kernels.pointee.split_product(
            rows.count, columns, depth, tiles + (rows.lowerBound / 16 * a.stride + from / 32) * Kernels.splitTile, a.stride,
            panels.assumingMemoryBound(to: UInt32.self), c, stride, beta == 0 ? 0 : 1)
    }
}

/// Panels and rows of pairs of bfloat16 numbers, neighbours in depth; rows that many pairs apart. The kernel reads whole rows, from 0 on.
struct BFloat16Layout: PanelLayout {
    let kernels: UnsafePointer<Kernels.Table>

    /// The blocks of all kernels (6, 16, 32) divide it.
    var rowUnit: Int { 96 }
    /// All of it: what is rounded is packed whole.
    var blockDepth: Int { .max }

    private func pairs(_ depth: Int) -> Int { (depth + 1) / 2 }

    func bytes(columns: Int, depth: Int) -> Int { (columns + 15) / 16 * 16 * pairs(depth) * 4 }

    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) { kernels.pointee.bf16_pack(columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: UInt32.self)) }

    func withRows(of a: MatrixView, m: Int, k: Int, threads: Int, _ body: (PanelRows) -> Void) {
        let pairs = pairs(k)
        Storage(byteCount: Kernels.narrowedPairs(rows: m, pairs: pairs) * 4).withPairs { narrow in
            Compute.forChunks(m, grain: threads == 1 ? m : max(16, 65_536 / max(1, k) / 16 * 16)) { part in
                kernels.pointee.bf16_narrow(
                    part.count, k, a.pointer + part.lowerBound * a.rowStride, a.rowStride, a.columnStride, narrow + part.lowerBound * pairs)
            }
            body(PanelRows(pointer: UnsafeRawPointer(narrow), stride: pairs))
        }
    }

    func multiply(
        rows: Range<Int>, columns: Int, depth: Int, _ a: PanelRows, from: Int, _ panels: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float
    ) {
        let pairs = a.pointer.assumingMemoryBound(to: UInt32.self)
        kernels.pointee.bf16_product(
            rows.count, columns, depth, pairs + rows.lowerBound * a.stride, panels.assumingMemoryBound(to: UInt32.self), c, stride,
            beta == 0 ? 0 : 1)
    }
}

extension Storage {
    /// Calls `body` with the block read as pairs of bfloat16; the block is there until `body` returns.
    func withPairs(_ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        body(pointer.assumingMemoryBound(to: UInt32.self))
        withExtendedLifetime(self) {}
    }
}
