// Matrices that are rounded to bfloat16 once for several products.

/// A matrix [rows, width] rounded to bfloat16, in the layout of ``BFloat16Layout``: row by row, with two neighbours of a row as a pair
/// of 32 bits. An odd width is padded with 0.
///
/// One rounding serves all products of an activation or a gradient: as the left-hand matrix row by row, and for the gradient of a
/// weight, dW = dyᵀ x, as columns of dy and as the right-hand matrix x. Their bits are those of products that round floats
/// themselves.
package final class RoundedRows: Sendable {
    /// The number of rows.
    package let rows: Int
    /// The number of columns.
    package let width: Int
    private let storage: Storage

    /// The numbers that a thread rounds or transposes at a time, and the pairs of columns that exist at a time.
    private static let (grain, columnPairs) = (65_536, 1_048_576)

    /// The pairs of a row.
    private var pairs: Int { (width + 1) / 2 }

    /// Rounds a matrix to the nearest numbers, ties to even.
    init(_ kernels: UnsafePointer<Kernels.Table>, _ matrix: MatrixView, rows: Int, width: Int) {
        let pairs = (width + 1) / 2
        let storage = Storage(byteCount: Kernels.narrowedPairs(rows: rows, pairs: pairs) * 4)
        (self.rows, self.width, self.storage) = (rows, width, storage)
        storage.withPairs { out in
            Compute.forChunks(rows, grain: max(16, Self.grain / max(1, width) / 16 * 16)) { part in
                kernels.pointee.bf16_narrow(
                    part.count, width, matrix.pointer + part.lowerBound * matrix.rowStride, matrix.rowStride, matrix.columnStride,
                    out + part.lowerBound * pairs)
            }
        }
    }

    /// The bytes of the memory, as allocated.
    package var byteCount: Int { Allocator.capacity(for: storage.byteCount) }

    /// The rows of the matrix, as kernels read them.
    var panelRows: PanelRows { PanelRows(pointer: UnsafeRawPointer(storage.pointer), stride: pairs, owner: self) }

    /// Calls `body` with the rows of the matrix.
    func withRows(_ body: (PanelRows) -> Void) {
        body(panelRows)
        withExtendedLifetime(self) {}
    }

    /// Calls `body` with the rows of the transposed matrix [width, rows], one range after another. Each begins at a multiple of 32; at
    /// most 4 MiB of them exist at a time, but 32 rows in any case.
    func forEachColumns(_ kernels: UnsafePointer<Kernels.Table>, _ body: (Range<Int>, PanelRows) -> Void) {
        let length = (rows + 1) / 2
        let most = min(width, max(32, Self.columnPairs / max(1, length) / 32 * 32))
        Storage(byteCount: Kernels.narrowedPairs(rows: most, pairs: length) * 4).withPairs { turned in
            for first in stride(from: 0, to: width, by: max(1, most)) {
                let columns = first..<min(width, first + most)
                Compute.forChunks(columns.count, grain: max(32, Self.grain / max(1, rows) / 32 * 32)) { part in
                    storage.withPairs {
                        kernels.pointee.bf16_turn(
                            part.count, rows, $0 + (first + part.lowerBound) / 2, pairs, turned + part.lowerBound * length)
                    }
                }
                body(columns, PanelRows(pointer: UnsafeRawPointer(turned), stride: length))
            }
        }
    }

    /// Packs one panel of the matrix as the right-hand matrix of a product: at most 64 columns, which begin at a multiple of 64.
    func pack(_ kernels: UnsafePointer<Kernels.Table>, columns: Range<Int>, into out: UnsafeMutableRawPointer) {
        storage.withPairs {
            kernels.pointee.bf16_pack_pairs(
                columns.count, rows, $0 + columns.lowerBound / 2, pairs, out.assumingMemoryBound(to: UInt32.self))
        }
    }

    /// The rounded numbers as floats, row by row.
    func widened() -> Storage {
        let wide = Storage(byteCount: rows * width * 4)
        let stride = 2 * pairs
        wide.withFloats { out in
            storage.withPairs {
                let numbers = UnsafeRawPointer($0).assumingMemoryBound(to: UInt16.self)
                Compute.forRows(rows, width: width) { part in
                    Kernels.current.pointee.bf16_widen(
                        part.count, width, stride, numbers + part.lowerBound * stride, out + part.lowerBound * width)
                }
            }
        }
        return wide
    }
}

extension Tensor {
    /// The rounded form of this matrix that somebody still holds, such as a tape; nil if there is none.
    package var heldRounding: RoundedRows? {
        storage.packings.withLock { $0.rounded }.flatMap { $0.rows == shape[0] && $0.width == shape[1] ? $0 : nil }
    }

    /// This matrix [T, C] of floats rounded to bfloat16. The storage only refers to the result: later products share it for as long as
    /// somebody holds it, and it takes no memory beyond that.
    func rounded(_ kernels: UnsafePointer<Kernels.Table>) -> RoundedRows {
        if let heldRounding { return heldRounding }
        let made = RoundedRows(kernels, .plain(pointer, stride: shape[1]), rows: shape[0], width: shape[1])
        storage.packings.withLock { $0.rounded = made }
        return made
    }
}
