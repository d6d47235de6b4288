// Memory layouts of the two factors of a product, before packing.

/// A row-major matrix of floats in memory, read as it is or transposed.
package struct MatrixView {
    let pointer: UnsafePointer<Float>
    let stride: Int
    let transposed: Bool

    /// The distance in memory between vertical and between horizontal neighbours, after transposition.
    var rowStride: Int { transposed ? 1 : stride }
    var columnStride: Int { transposed ? stride : 1 }

    init(pointer: UnsafePointer<Float>, stride: Int, transposed: Bool) {
        (self.pointer, self.stride, self.transposed) = (pointer, stride, transposed)
    }

    /// A row-major matrix whose rows are `stride` floats apart.
    package static func plain(_ pointer: UnsafePointer<Float>, stride: Int) -> MatrixView {
        MatrixView(pointer: pointer, stride: stride, transposed: false)
    }
    /// The transpose of a row-major matrix whose rows are `stride` floats apart.
    package static func transposed(_ pointer: UnsafePointer<Float>, stride: Int) -> MatrixView {
        MatrixView(pointer: pointer, stride: stride, transposed: true)
    }
}

/// The right-hand matrix B [depth, columns] of a product, in its storage format.
///
/// Narrow elements are widened while they are packed, a panel at a time, in memory that stays in the cache, or in registers if the
/// layout has a kernel for their format (``PanelLayout/packBlocks(columns:depth:_:rowBytes:into:)``). (Products of few rows
/// are not packed; ``FewRowsProduct`` widens their weights.) The packed panels equal those of the same elements as floats, so a
/// product does not depend on how a weight is stored.
package enum RightHandMatrix {
    case floats(MatrixView)
    /// Contiguous rows of `stride` elements in a narrow format.
    case narrow(NarrowElements, stride: Int, transposed: Bool)

    /// Creates the view of a matrix, as it is or transposed.
    package init(_ matrix: Tensor, transposed: Bool) {
        let stride = matrix.shape[1]
        if let narrow = matrix.storage.narrow {
            self = .narrow(narrow, stride: stride, transposed: transposed)
        } else {
            self = .floats(MatrixView(pointer: matrix.pointer, stride: stride, transposed: transposed))
        }
    }

    /// Packs one panel: at most 64 columns, over a range of the depth.
    func pack(_ layout: some PanelLayout, depth: Range<Int>, columns: Range<Int>, into out: UnsafeMutableRawPointer) {
        switch self {
        case .floats(let matrix):
            layout.pack(
                columns: columns.count, depth: depth.count,
                matrix.pointer + depth.lowerBound * matrix.rowStride + columns.lowerBound * matrix.columnStride,
                depthStride: matrix.rowStride, columnStride: matrix.columnStride, into: out)
        case .narrow(let numbers, let stride, let transposed):
            if transposed, let blocks = numbers.blocks(rows: columns, columns: depth, stride: stride) {
                let isPacked = layout.packBlocks(
                    columns: columns.count, depth: depth.count, blocks.first, rowBytes: blocks.rowBytes, into: out)
                withExtendedLifetime(numbers) {}
                if isPacked { return }
            }
            let (rows, across) = transposed ? (columns, depth) : (depth, columns)
            Storage(byteCount: rows.count * across.count * 4).withFloats { wide in
                numbers.widen(rows: rows, columns: across, stride: stride, into: wide)
                layout.pack(
                    columns: columns.count, depth: depth.count, wide, depthStride: transposed ? 1 : across.count,
                    columnStride: transposed ? across.count : 1, into: out)
            }
        }
    }
}

extension Tensor {
    /// The size of this weight [outputs, inputs] as a right-hand matrix [depth, columns], as it is or transposed.
    func rightHandSize(transposed: Bool) -> (depth: Int, columns: Int) {
        transposed ? (depth: shape[1], columns: shape[0]) : (depth: shape[0], columns: shape[1])
    }
}

/// The rows of a left-hand matrix that products with a weight read: floats, or rounded to bfloat16 once for several products.
///
/// Products that round their rows give the same bits for both. The others widen rounded rows.
enum ProductRows {
    /// Contiguous rows of floats.
    case floats(UnsafePointer<Float>)
    case rounded(RoundedRows)

    /// Calls `body` with the rows as floats; rounded rows are widened to a temporary copy.
    func withFloats(_ body: (UnsafePointer<Float>) -> Void) {
        switch self {
        case .floats(let floats): body(floats)
        case .rounded(let matrix): matrix.widened().withFloats { body($0) }
        }
    }

    /// The rows rounded to bfloat16: a matrix [rows, width].
    func rounded(_ kernels: UnsafePointer<Kernels.Table>, rows: Int, width: Int) -> RoundedRows {
        switch self {
        case .floats(let floats): RoundedRows(kernels, .plain(floats, stride: width), rows: rows, width: width)
        case .rounded(let matrix): matrix
        }
    }
}
