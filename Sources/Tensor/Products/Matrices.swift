// How the two sides of a product lie in memory before anything is packed.

/// A row-major matrix of floats in memory, read as it stands or transposed.
package struct MatrixView {
    let pointer: UnsafePointer<Float>
    let stride: Int
    let transposed: Bool

    /// How far apart neighbours in a column, and in a row, of the matrix as it is read are.
    var rowStride: Int { transposed ? 1 : stride }
    var columnStride: Int { transposed ? stride : 1 }

    init(pointer: UnsafePointer<Float>, stride: Int, transposed: Bool) {
        (self.pointer, self.stride, self.transposed) = (pointer, stride, transposed)
    }

    /// Rows of numbers, `stride` apart.
    package static func plain(_ pointer: UnsafePointer<Float>, stride: Int) -> MatrixView {
        MatrixView(pointer: pointer, stride: stride, transposed: false)
    }
    /// The same memory read column by column.
    package static func transposed(_ pointer: UnsafePointer<Float>, stride: Int) -> MatrixView {
        MatrixView(pointer: pointer, stride: stride, transposed: true)
    }
}

/// The right-hand matrix B [depth, columns] of a product, as its numbers are stored.
///
/// Numbers of fewer bits are widened where they are packed, a panel at a time, into memory that stays in the cache (products of few rows,
/// which pack nothing, do it themselves: ``FewRowsProduct``). What is packed is what would be packed of the same floats, so a product does
/// not depend on how a weight is stored. Weights in 8 bits will be a third case, with its scales beside it.
package enum RightHandMatrix {
    case floats(MatrixView)
    /// Rows of `stride` numbers, one behind the other.
    case bf16(NarrowElements, stride: Int, transposed: Bool)

    /// A matrix, read as it stands or transposed.
    package init(_ matrix: Tensor, transposed: Bool) {
        let stride = matrix.shape[1]
        if let narrow = matrix.storage.narrow {
            self = .bf16(narrow, stride: stride, transposed: transposed)
        } else {
            self = .floats(MatrixView(pointer: matrix.pointer, stride: stride, transposed: transposed))
        }
    }

    /// Packs one panel: at most 64 columns, and the given part of the depth.
    func pack(_ layout: some PanelLayout, depth: Range<Int>, columns: Range<Int>, into out: UnsafeMutableRawPointer) {
        switch self {
        case .floats(let matrix):
            layout.pack(
                columns: columns.count, depth: depth.count,
                matrix.pointer + depth.lowerBound * matrix.rowStride + columns.lowerBound * matrix.columnStride,
                depthStride: matrix.rowStride, columnStride: matrix.columnStride, into: out)
        case .bf16(let numbers, let stride, let transposed):
            let (rows, across) = transposed ? (columns, depth) : (depth, columns)
            Storage(byteCount: rows.count * across.count * 4).withFloats { wide in
                for (index, row) in rows.enumerated() {
                    numbers.widen(row * stride + across.lowerBound..<row * stride + across.upperBound, into: wide + index * across.count)
                }
                layout.pack(
                    columns: columns.count, depth: depth.count, wide, depthStride: transposed ? 1 : across.count,
                    columnStride: transposed ? across.count : 1, into: out)
            }
        }
    }
}
