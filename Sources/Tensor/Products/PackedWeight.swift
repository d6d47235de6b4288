// Products with matrices that are packed completely before the multiplication.

/// A right-hand matrix B [depth, columns], packed in the order in which a kernel reads it: panels of 64 columns in a panel
/// format.
package final class PackedWeight: Sendable {
    package let depth: Int
    package let columns: Int
    package let format: PanelFormat
    private let storage: Storage
    /// The kernels that packed the matrix; the same ones multiply it.
    nonisolated(unsafe) private let kernels: UnsafePointer<Kernels.Table>

    /// Packs all panels of a matrix.
    package convenience init(_ format: PanelFormat, depth: Int, columns: Int, _ matrix: RightHandMatrix) {
        self.init(Kernels.current, format, depth: depth, columns: columns, matrix)
    }

    convenience init(
        _ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, depth: Int, columns: Int, _ matrix: RightHandMatrix
    ) {
        let layout = format.layout(kernels)
        self.init(kernels, format, depth: depth, columns: columns) { panel, out in
            matrix.pack(layout, depth: 0..<depth, columns: panel, into: out)
        }
    }

    /// Packs a matrix that is already rounded to bfloat16.
    convenience init(_ kernels: UnsafePointer<Kernels.Table>, _ matrix: RoundedRows) {
        self.init(kernels, .bf16, depth: matrix.rows, columns: matrix.width) { matrix.pack(kernels, columns: $0, into: $1) }
    }

    /// Lets `pack` write every panel, given its columns.
    private convenience init(
        _ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, depth: Int, columns: Int,
        pack: (Range<Int>, UnsafeMutableRawPointer) -> Void
    ) {
        self.init(unpacked: kernels, format, depth: depth, columns: columns)
        Compute.forEach(panelCount) { write(panel: $0, pack) }
    }

    /// Allocates the memory of the panels, which must be written before anything else sees them.
    private init(unpacked kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, depth: Int, columns: Int) {
        (self.kernels, self.format, self.depth, self.columns) = (kernels, format, depth, columns)
        storage = Storage(byteCount: format.layout(kernels).bytes(columns: columns, depth: depth))
    }

    private var panelCount: Int { (columns + ProductParts.panel - 1) / ProductParts.panel }

    private func write(panel: Int, _ pack: (Range<Int>, UnsafeMutableRawPointer) -> Void) {
        let first = panel * ProductParts.panel
        pack(
            first..<min(columns, first + ProductParts.panel),
            storage.pointer + format.layout(kernels).bytes(columns: first, depth: depth))
    }

    /// Packs several weights [outputs, inputs], as they are or transposed, in one parallel region.
    static func packed(
        _ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, _ weights: [Tensor], transposed: Bool
    ) -> [PackedWeight] {
        let layout = format.layout(kernels)
        let matrices = weights.map { RightHandMatrix($0, transposed: transposed) }
        let made = weights.map { weight in
            let (depth, columns) = weight.rightHandSize(transposed: transposed)
            return PackedWeight(unpacked: kernels, format, depth: depth, columns: columns)
        }
        let panels = made.enumerated().flatMap { index, weight in (0..<weight.panelCount).map { (index, $0) } }
        Compute.forEach(panels.count) { place in
            let (index, panel) = panels[place]
            let (matrix, packing) = (matrices[index], made[index])
            packing.write(panel: panel) { matrix.pack(layout, depth: 0..<packing.depth, columns: $0, into: $1) }
        }
        withExtendedLifetime(weights) {}
        return made
    }

    /// The bytes of the panels, as allocated.
    var byteCount: Int { Allocator.capacity(for: storage.byteCount) }

    /// The bytes of the packed copy that a product with a weight [outputs, inputs] makes and keeps with the weight; 0 if it keeps
    /// none.
    /// - Parameters:
    ///   - kind: the product: ``ProductQuestion/Kind/forward`` or ``ProductQuestion/Kind/inputGradient``.
    ///   - outputs: the rows of the weight.
    ///   - inputs: the columns of the weight.
    ///   - keepsPacking: whether a packed copy of the weight may be kept.
    ///   - precision: the precision of the product.
    package static func keptBytes(
        _ kind: ProductQuestion.Kind, outputs: Int, inputs: Int, keepsPacking: Bool = true, precision: Compute.Precision
    ) -> Int {
        let kernels = Kernels.current
        let question = ProductQuestion(kind, rows: ProductTable.manyRows, outputs: outputs, inputs: inputs)
        let plan = Kernels.plan(
            kernels, kind, rows: question.rows, outputs: outputs, inputs: inputs, storage: .f32, keepsPacking: keepsPacking,
            precision: precision)
        guard case .packedAndKept(let format) = plan else { return 0 }
        return Allocator.capacity(for: format.layout(kernels).bytes(columns: question.columns, depth: question.depth))
    }

    /// Whether this packing is for the given kernels, format and size.
    func fits(_ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, depth: Int, columns: Int) -> Bool {
        self.kernels == kernels && self.format == format && self.depth == depth && self.columns == columns
    }

    /// C[rows, columns] = A · B + beta · C, with A [rows, depth] and beta 0 or 1. `stride` is the distance between rows of C.
    /// `following` is called for every block of C after it is computed, while it is in the cache.
    package func multiply(
        rows: Int, _ a: MatrixView, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float = 0,
        then following: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        let threads = ProductParts.isSmall(rows, columns, depth) ? 1 : Compute.threads
        let left = format.layout(kernels).rows(of: a, m: rows, k: depth, threads: threads)
        multiply(rows: rows, left, into: c, stride: stride, beta: beta, then: following)
        withExtendedLifetime(left) {}
    }

    /// The product with rows of A that are already in the layout of the format.
    func multiply(
        rows: Int, _ a: PanelRows, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float,
        then following: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        ProductParts.forEach(rows: rows, columns: columns, depth: depth, rowUnit: format.layout(kernels).rowUnit) { rows, columns in
            multiply(ProductParts.Block(rows: rows, columns: columns), a, into: c, stride: stride, beta: beta)
            following(rows, columns)
        }
    }

    /// Computes one block of the product on the calling thread. `c` is the first element of the whole C.
    func multiply(_ block: ProductParts.Block, _ a: PanelRows, into c: UnsafeMutablePointer<Float>, stride: Int, beta: Float) {
        let (layout, rows, columns) = (format.layout(kernels), block.rows, block.columns)
        layout.multiply(
            rows: rows, columns: columns.count, depth: depth, a, from: 0,
            storage.pointer + layout.bytes(columns: columns.lowerBound, depth: depth),
            into: c + rows.lowerBound * stride + columns.lowerBound, stride: stride, beta: beta)
        withExtendedLifetime(self) {}
    }
}

/// What products have made of the contents of a storage, until the contents change: the packed copies of a weight [outputs, inputs],
/// which are kept, and the rounded form of an activation, for as long as somebody else holds it.
struct WeightPackings: Sendable {
    /// The right-hand side of dy W.
    private var plain: PackedWeight?
    /// The right-hand side of x Wᵀ.
    private var transposed: PackedWeight?
    /// The left-hand matrix x or dy.
    weak var rounded: RoundedRows?
    /// Whether products keep no packed copies of the weight; see ``Storage/packsInPassing``.
    var isInPassing = false

    /// Forgets everything that was made of the contents, because they change or because no copies are kept.
    mutating func clear() { (plain, transposed, rounded) = (nil, nil, nil) }

    /// The bytes of both packed copies, as allocated.
    var byteCount: Int { (plain?.byteCount ?? 0) + (transposed?.byteCount ?? 0) }

    /// The packed copies of several weights for the given kernels, in their order. Those that do not exist yet are created together.
    static func packed(
        _ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, _ weights: [Tensor], transposed: Bool
    ) -> [PackedWeight] {
        var found = weights.map { weight -> PackedWeight? in
            let (depth, columns) = weight.rightHandSize(transposed: transposed)
            let known = weight.storage.packings.withLock { transposed ? $0.transposed : $0.plain }
            return known.flatMap { $0.fits(kernels, format, depth: depth, columns: columns) ? $0 : nil }
        }
        let missing = found.indices.filter { found[$0] == nil }
        if missing.isEmpty { return found.compactMap(\.self) }
        let made = PackedWeight.packed(kernels, format, missing.map { weights[$0] }, transposed: transposed)
        for (index, packing) in zip(missing, made) {
            weights[index].storage.packings.withLock { if transposed { $0.transposed = packing } else { $0.plain = packing } }
            // the weights of a mapped file are rarely read from now on, and can be read again
            weights[index].storage.forget()
            found[index] = packing
        }
        return found.compactMap(\.self)
    }
}

extension Storage {
    /// The bytes of the packed copies that products have made of the contents and that are kept with them.
    package var packedByteCount: Int { packings.withLock { $0.byteCount } }
}
