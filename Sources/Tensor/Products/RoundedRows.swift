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

    /// A matrix of an even width whose numbers are undefined until ``write(_:_:of:unit:_:)`` writes them.
    init(uninitializedRows rows: Int, width: Int) {
        precondition(width % 2 == 0, "a matrix that is rounded where it is made needs an even width, not \(width)")
        (self.rows, self.width) = (rows, width)
        storage = Storage(byteCount: Kernels.narrowedPairs(rows: rows, pairs: width / 2) * 4)
    }

    /// The bytes of the memory, as allocated.
    package var byteCount: Int { Allocator.capacity(for: storage.byteCount) }

    /// The rows of the matrix, as kernels read them.
    var panelRows: PanelRows { PanelRows(pointer: UnsafeRawPointer(storage.pointer), stride: pairs, owner: self) }

    /// Whether this is the rounded form of a matrix of a shape.
    func fits(_ shape: Shape) -> Bool { shape == [rows, width] }

    /// The numbers of a matrix of an even width as elements in bfloat16, which keep the matrix.
    var elements: NarrowElements {
        precondition(width % 2 == 0, "the rows of an odd width \(width) are padded")
        return NarrowElements(.bf16, storage.pointer, count: rows * width, owner: self)
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

// MARK: Rounded where they are made

extension RoundedRows {
    /// The numbers of a matrix that exist as floats at a time: 4 KiB, which stay in the first-level cache until they are rounded.
    private static let madeAtOnce = 1024

    /// Whether an operation can make the elements of a tensor rounded: a matrix of an even width.
    static func canHold(_ shape: Shape) -> Bool { shape.rank == 2 && shape[1] % 2 == 0 }

    /// Makes matrices [rows, width] of an even width that are rounded where they are made. The bits are those of matrices that are
    /// written as floats and rounded afterwards.
    /// - Parameters:
    ///   - kernels: the kernels of the scope.
    ///   - count: the number of matrices.
    ///   - rows: the number of rows.
    ///   - width: the number of columns.
    ///   - unit: the elements of parts are multiples of this even number; the width for functions of rows.
    ///   - function: the name of the operation in profiles.
    ///   - file: the file of the operation, for profiles.
    ///   - make: writes a range of the elements of all matrices, in row-major order, to one address for each matrix. It is called on
    ///     several threads.
    /// - Returns: the matrices, in order.
    static func making(
        _ kernels: UnsafePointer<Kernels.Table>, count: Int = 1, rows: Int, width: Int, unit: Int = 2, function: StaticString = #function,
        file: StaticString = #fileID, _ make: (Range<Int>, [UnsafeMutablePointer<Float>]) -> Void
    ) -> [RoundedRows] {
        let matrices = (0..<count).map { _ in RoundedRows(uninitializedRows: rows, width: width) }
        Compute.forChunks(rows * width, grain: max(1, 32_768 / max(2, unit)) * max(2, unit), function: function, file: file) {
            write(kernels, $0, of: matrices, unit: unit, make)
        }
        return matrices
    }

    /// Writes a range of the elements of matrices, which begins and ends at multiples of `unit`, on the calling thread; see
    /// ``making(_:count:rows:width:unit:function:file:_:)``.
    static func write(
        _ kernels: UnsafePointer<Kernels.Table>, _ elements: Range<Int>, of matrices: [RoundedRows], unit: Int,
        _ make: (Range<Int>, [UnsafeMutablePointer<Float>]) -> Void
    ) {
        // addresses, because references that several threads count for every part take longer than the rounding
        let rounded = matrices.map { $0.storage.pointer.assumingMemoryBound(to: UInt32.self) }
        inParts(of: elements, unit: unit, count: matrices.count) { part, floats in
            make(part, floats)
            for index in rounded.indices {
                kernels.pointee.bf16_narrow(1, part.count, floats[index], part.count, 1, rounded[index] + part.lowerBound / 2)
            }
        }
        withExtendedLifetime(matrices) {}
    }

    /// Calls `body` for parts of a range of elements, one after another, with memory for the floats of a part of each of `count` matrices.
    static func inParts(
        of elements: Range<Int>, unit: Int, count: Int = 1, _ body: (Range<Int>, [UnsafeMutablePointer<Float>]) -> Void
    ) {
        let most = max(unit, madeAtOnce / max(1, unit) * unit)
        Storage(byteCount: count * most * 4).withFloats { floats in
            let parts = (0..<count).map { floats + $0 * most }
            for first in stride(from: elements.lowerBound, to: elements.upperBound, by: max(1, most)) {
                body(first..<min(elements.upperBound, first + most), parts)
            }
        }
    }
}

extension Tensor {
    /// A matrix whose elements exist only as rounded numbers. Products that round their rows read it as it is; all other operations
    /// widen it (``widened()``).
    init(_ matrix: RoundedRows) { self.init(shape: [matrix.rows, matrix.width], narrow: matrix.elements) }

    /// A tensor whose elements `make` writes, given a range of them in row-major order and the address of the first: rounded where they
    /// are made, if that is asked for and possible (``RoundedRows/canHold(_:)``).
    static func made(
        _ shape: Shape, isRounded: Bool, function: StaticString = #function, file: StaticString = #fileID,
        _ make: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
    ) -> Tensor {
        guard isRounded, RoundedRows.canHold(shape) else {
            return Tensor.uninitialized(shape) { out in
                Compute.forChunks(shape.count, grain: 32_768, function: function, file: file) { make($0, out + $0.lowerBound) }
            }
        }
        return Tensor(
            RoundedRows.making(Kernels.current, rows: shape[0], width: shape[1], function: function, file: file) { make($0, $1[0]) }[0])
    }

    /// The matrix that this tensor was made of if its elements exist only as rounded numbers (``init(_:)``); nil otherwise.
    var onlyRounded: RoundedRows? { (storage.narrow?.owner as? RoundedRows).flatMap { $0.fits(shape) ? $0 : nil } }

    /// This tensor as ``LinearInput`` reads it: in floats, or only rounded.
    var asLinearInput: Tensor { onlyRounded == nil ? widened() : self }

    /// The rounded form of this matrix that is still referenced, by a tape for example; nil if there is none.
    package var heldRounding: RoundedRows? {
        onlyRounded ?? storage.packings.withLock { $0.rounded }.flatMap { $0.fits(shape) ? $0 : nil }
    }

    /// This matrix [T, C] of floats, or one that is only rounded (``onlyRounded``), rounded to bfloat16. The storage only refers to the
    /// result: later products share it as long as it is referenced, and it takes no memory beyond that.
    func rounded(_ kernels: UnsafePointer<Kernels.Table>) -> RoundedRows {
        if let heldRounding { return heldRounding }
        let made = RoundedRows(kernels, .plain(pointer, stride: shape[1]), rows: shape[0], width: shape[1])
        storage.packings.withLock { $0.rounded = made }
        return made
    }
}
