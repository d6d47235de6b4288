// Products with matrices that are packed whole, before they are multiplied.

/// A right-hand matrix B [depth, columns] in the order that a kernel reads it: panels of 64 columns, in one of the formats.
package final class PackedWeight: Sendable {
    package let depth: Int
    package let columns: Int
    package let format: PanelFormat
    private let storage: Storage
    /// The kernels that packed it, which multiply it, too.
    nonisolated(unsafe) private let kernels: UnsafePointer<Kernels.Table>

    /// Packs all panels of a matrix.
    package convenience init(_ format: PanelFormat, depth: Int, columns: Int, _ matrix: RightHandMatrix) {
        self.init(Kernels.current, format, depth: depth, columns: columns, matrix)
    }

    init(_ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, depth: Int, columns: Int, _ matrix: RightHandMatrix) {
        let layout = format.layout(kernels)
        let storage = Storage(byteCount: layout.bytes(columns: columns, depth: depth))
        (self.kernels, self.format, self.depth, self.columns, self.storage) = (kernels, format, depth, columns, storage)
        Compute.forEach((columns + ProductParts.panel - 1) / ProductParts.panel) { index in
            let first = index * ProductParts.panel
            matrix.pack(
                layout, depth: 0..<depth, columns: first..<min(columns, first + ProductParts.panel),
                into: storage.pointer + layout.bytes(columns: first, depth: depth))
        }
    }

    /// Whether it is what a matrix of that size would be packed as by these kernels.
    func fits(_ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, depth: Int, columns: Int) -> Bool {
        self.kernels == kernels && self.format == format && self.depth == depth && self.columns == columns
    }

    /// C[rows, columns] = A · B + beta · C for an A of [rows, depth] and beta 0 or 1; `stride` is that of C. What follows is called for
    /// every part of C when it is made, while it is in the cache.
    package func multiply(
        rows: Int, _ a: MatrixView, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float = 0,
        then following: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        let threads = ProductParts.isSmall(rows, columns, depth) ? 1 : Compute.threads
        format.layout(kernels).withRows(of: a, m: rows, k: depth, threads: threads) {
            multiply(rows: rows, $0, into: c, stride: stride, beta: beta, then: following)
        }
    }

    /// The same for rows as the layout of the format reads them.
    func multiply(
        rows: Int, _ a: PanelRows, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float,
        then following: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        let layout = format.layout(kernels)
        ProductParts.forEach(rows: rows, columns: columns, depth: depth, rowUnit: layout.rowUnit) { rows, columns in
            layout.multiply(
                rows: rows, columns: columns.count, depth: depth, a, from: 0,
                storage.pointer + layout.bytes(columns: columns.lowerBound, depth: depth),
                into: c + rows.lowerBound * stride + columns.lowerBound, stride: stride, beta: beta)
            following(rows, columns)
        }
        withExtendedLifetime(self) {}
    }
}

/// The packed copies of a weight [outputs, inputs], kept with its storage until the weight changes.
struct WeightPackings: Sendable {
    /// As the right-hand side of dy W.
    private var plain: PackedWeight?
    /// As the right-hand side of x Wᵀ.
    private var transposed: PackedWeight?

    /// The copy of a weight for a table of kernels; it is made when there is none.
    static func packed(_ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, _ weight: Tensor, transposed: Bool) -> PackedWeight {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let (depth, columns) = transposed ? (inputs, outputs) : (outputs, inputs)
        let known = weight.storage.packings.withLock { transposed ? $0.transposed : $0.plain }
        if let known, known.fits(kernels, format, depth: depth, columns: columns) { return known }
        let made = PackedWeight(kernels, format, depth: depth, columns: columns, RightHandMatrix(weight, transposed: transposed))
        weight.storage.packings.withLock { if transposed { $0.transposed = made } else { $0.plain = made } }
        // the numbers of a mapped file are seldom needed now, and can be read again
        weight.storage.forget()
        return made
    }
}
