// The panel formats in which kernels multiply matrices. Each format is one type in this file and one case of `PanelFormat`.

/// The number format of a packed matrix.
package enum PanelFormat: CaseIterable, Sendable {
    /// 32-bit floats.
    case floats
    /// Each float as the sum of three bfloat16 numbers, for matrix tile registers (`split.inc.h`), without additional rounding.
    case split
    /// Elements rounded to bfloat16 (`bfloat16.inc.h`).
    case bf16

    /// The memory layout of this format for the given kernels.
    func layout(_ kernels: UnsafePointer<Kernels.Table>) -> any PanelLayout {
        switch self {
        case .floats: FloatLayout(kernels: kernels)
        case .split: SplitLayout(kernels: kernels)
        case .bf16: BFloat16Layout(kernels: kernels)
        }
    }
}

/// The memory layout of both factors of a product, for one table of kernels.
///
/// The right-hand matrix is stored in panels of 64 columns (``ProductParts/panel``), of which the last is only as wide as it must
/// be, in multiples of 16. The left-hand matrix is stored row by row. Every element of a product is one sum in an order that
/// depends only on the depth: the result of a row does not depend on other rows or on how the work is split.
protocol PanelLayout {
    /// The unit of rows at whose multiples the work may be split.
    var rowUnit: Int { get }

    /// The maximum depth to pack at a time if a panel is used only once. It does not change the order of the sums.
    var blockDepth: Int { get }

    /// The offset in bytes of the panel that has `columns` columns before it. For all columns, this is the size of the packed
    /// matrix.
    func bytes(columns: Int, depth: Int) -> Int

    /// Packs one panel: B[p, j] = `pointer[p · depthStride + j · columnStride]`.
    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer)

    /// Packs one panel, whose column j is row j of a matrix in Q8_0 blocks, from elements that are whole blocks: `depth` is a multiple of
    /// 32, and the rows are `rowBytes` apart. The panel equals that of the widened elements.
    /// - Returns: false if the kernels cannot do this; nothing is written then.
    func packBlocks(columns: Int, depth: Int, _ blocks: UnsafeRawPointer, rowBytes: Int, into out: UnsafeMutableRawPointer) -> Bool

    /// The rows of A[m, k] in this layout: the original rows, or a copy that `threads` threads make.
    func rows(of a: MatrixView, m: Int, k: Int, threads: Int) -> PanelRows

    /// C[rows, columns] = A · B + beta · C on the calling thread, with beta 0 or 1. The rows begin at a multiple of ``rowUnit``.
    /// The panels hold `depth` elements of every column; they are multiplied by the elements of A that begin at `from`, a
    /// multiple of ``blockDepth``.
    func multiply(
        rows: Range<Int>, columns: Int, depth: Int, _ a: PanelRows, from: Int, _ panels: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float)
}

extension PanelLayout {
    /// No kernel packs blocks.
    func packBlocks(columns: Int, depth: Int, _ blocks: UnsafeRawPointer, rowBytes: Int, into out: UnsafeMutableRawPointer) -> Bool {
        false
    }
}

/// The rows of a left-hand matrix in a layout; `stride` is the distance between rows, in units of the layout.
struct PanelRows {
    let pointer: UnsafeRawPointer
    let stride: Int
    /// The owner of a copy of the rows; nil if the caller keeps the rows alive.
    var owner: AnyObject?
}

/// The layout of ``PanelFormat/floats``: panels and rows of floats. The row stride is in floats.
struct FloatLayout: PanelLayout {
    let kernels: UnsafePointer<Kernels.Table>

    /// The number of rows that a group of panels multiplies at a time.
    var rowUnit: Int { Kernels.groupRows }
    var blockDepth: Int { Kernels.panelDepth }

    func bytes(columns: Int, depth: Int) -> Int { (columns + 15) / 16 * 16 * depth * 4 }

    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) { kernels.pointee.f32_pack(columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: Float.self)) }

    func rows(of a: MatrixView, m: Int, k: Int, threads: Int) -> PanelRows {
        guard a.transposed else { return PanelRows(pointer: UnsafeRawPointer(a.pointer), stride: a.stride) }
        // packing k columns of m rows as one panel writes them row by row, padded with zeros to a multiple of 16
        let width = (k + 15) / 16 * 16
        let copy = Storage(byteCount: m * width * 4)
        copy.withFloats { rows in
            Compute.forChunks(m, grain: threads == 1 ? m : 16 * max(1, 4096 / width)) { part in
                kernels.pointee.f32_pack(k, part.count, a.pointer + part.lowerBound, 1, a.stride, rows + part.lowerBound * width)
            }
        }
        return PanelRows(pointer: UnsafeRawPointer(copy.pointer), stride: width, owner: copy)
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

/// The layout of ``PanelFormat/split``: panels and rows of tiles of 16 columns or rows by a depth of 32. The stride between
/// groups of 16 rows is in tiles.
struct SplitLayout: PanelLayout {
    let kernels: UnsafePointer<Kernels.Table>

    var rowUnit: Int { 32 }
    var blockDepth: Int { 2 * Kernels.splitDepth }

    /// The number of tiles along the depth.
    private func steps(_ depth: Int) -> Int { (depth + 31) / 32 }

    func bytes(columns: Int, depth: Int) -> Int { (columns + 15) / 16 * steps(depth) * Kernels.splitTile * 4 }

    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) {
        kernels.pointee.split_panel(
            columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: UInt32.self), steps(depth))
    }
    func rows(of a: MatrixView, m: Int, k: Int, threads: Int) -> PanelRows {
        let (steps, grain) = (steps(k), threads == 1 ? m : 16 * max(1, 16_384 / k))
        let copy = Storage(byteCount: (m + 15) / 16 * steps * Kernels.splitTile * 4)
        copy.withPairs { tiles in
            Compute.forChunks(m, grain: grain) { part in
                kernels.pointee.split_rows(
                    part.count, k, a.pointer + part.lowerBound * a.rowStride, a.rowStride, a.columnStride,
                    tiles + part.lowerBound / 16 * steps * Kernels.splitTile)
            }
        }
        return PanelRows(pointer: UnsafeRawPointer(copy.pointer), stride: steps, owner: copy)
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

/// The layout of ``PanelFormat/bf16``: panels and rows of pairs of bfloat16 elements that are neighbours in depth. The row stride
/// is in pairs. The kernel always reads rows from the beginning.
struct BFloat16Layout: PanelLayout {
    let kernels: UnsafePointer<Kernels.Table>

    /// A common multiple of the row blocks of all kernels (6, 16, 32).
    var rowUnit: Int { 96 }
    /// Unlimited: a rounded matrix is packed completely.
    var blockDepth: Int { .max }

    private func pairs(_ depth: Int) -> Int { (depth + 1) / 2 }

    func bytes(columns: Int, depth: Int) -> Int { (columns + 15) / 16 * 16 * pairs(depth) * 4 }

    func pack(
        columns: Int, depth: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int, into out: UnsafeMutableRawPointer
    ) { kernels.pointee.bf16_pack(columns, depth, pointer, depthStride, columnStride, out.assumingMemoryBound(to: UInt32.self)) }

    func rows(of a: MatrixView, m: Int, k: Int, threads: Int) -> PanelRows { RoundedRows(kernels, a, rows: m, width: k).panelRows }

    func packBlocks(columns: Int, depth: Int, _ blocks: UnsafeRawPointer, rowBytes: Int, into out: UnsafeMutableRawPointer) -> Bool {
        guard let pack = kernels.pointee.q8_pack else { return false }
        pack(columns, depth, blocks.assumingMemoryBound(to: UInt8.self), rowBytes, out.assumingMemoryBound(to: UInt32.self))
        return true
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
    /// Calls `body` with a pointer to the block as pairs of bfloat16 elements; the block stays alive until `body` returns.
    func withPairs(_ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        body(pointer.assumingMemoryBound(to: UInt32.self))
        withExtendedLifetime(self) {}
    }
}
