// Products whose blocks can be computed in any order, so that one parallel region computes several products.

/// C[rows, columns] = A · B + beta · C + bias, with both factors in the form in which the kernels read them.
///
/// Every element of C is one sum in an order that depends only on the kernel and the depth: the bits are those of the same product
/// alone, whatever its blocks.
struct PreparedProduct {
    /// How the right-hand matrix B is read.
    enum RightHand {
        /// As the rows of a weight [columns, depth], without packing (``FewRowsProduct``).
        case rows
        /// Packed block by block (``MatrixProduct``).
        case packedInPassing(PanelFormat, RightHandMatrix)
        /// Packed before (``PackedWeight``).
        case packed(PackedWeight)
    }

    let kernels: UnsafePointer<Kernels.Table>
    let rows: Int
    let columns: Int
    let depth: Int
    let left: PanelRows
    let right: RightHand
    /// The weight that is the right-hand matrix, as it is or transposed.
    let weight: Tensor
    /// C, whose rows are contiguous.
    let out: UnsafeMutablePointer<Float>
    let beta: Float
    /// A bias [columns] of floats; nil for none.
    let bias: Tensor?

    /// The number of multiplications, in units in which ``ProductParts/leastCut`` is worth several threads. A product that packs
    /// nothing is worth them from half as many on.
    var work: Int {
        if case .rows = right { return 2 * rows * columns * depth }
        return rows * columns * depth
    }

    /// The blocks of C; none if C is empty.
    /// - Parameter isCut: whether the blocks are for several threads.
    func blocks(isCut: Bool) -> [ProductParts.Block] {
        if rows == 0 || columns == 0 { return [] }
        switch right {
        case .rows:
            let grain = FewRowsProduct.grain(weight, isCut: isCut)
            return stride(from: 0, to: columns, by: grain).map {
                ProductParts.Block(rows: 0..<rows, columns: $0..<min(columns, $0 + grain))
            }
        case .packedInPassing:
            let panels = (columns + ProductParts.panel - 1) / ProductParts.panel
            return ProductParts.groups(panels: panels, rows: rows, threads: isCut ? Compute.threads : 1).map {
                ProductParts.Block(
                    rows: 0..<rows, columns: $0.lowerBound * ProductParts.panel..<min(columns, $0.upperBound * ProductParts.panel))
            }
        case .packed(let packed):
            return ProductParts.blocks(
                rows: rows, columns: columns, rowUnit: packed.format.layout(kernels).rowUnit, isCut: isCut)
        }
    }

    /// Whether every block of this product is a block of another one with the same C or a C of the same size.
    func hasBlocks(of other: PreparedProduct) -> Bool {
        guard rows == other.rows, columns == other.columns else { return false }
        return switch (right, other.right) {
        // the size of the parts depends on the format of the weight
        case (.rows, .rows):
            [true, false].allSatisfy { FewRowsProduct.grain(weight, isCut: $0) == FewRowsProduct.grain(other.weight, isCut: $0) }
        case (.packedInPassing(let format, _), .packedInPassing(let otherFormat, _)): format == otherFormat
        case (.packed(let packed), .packed(let otherPacked)): packed.format == otherPacked.format
        default: false
        }
    }

    /// Computes one block on the calling thread.
    func compute(_ block: ProductParts.Block) {
        let first = block.rows.lowerBound * columns + block.columns.lowerBound
        if depth == 0 {
            // an empty sum
            if beta == 0 {
                for row in 0..<block.rows.count { (out + first + row * columns).update(repeating: 0, count: block.columns.count) }
            }
        } else {
            switch right {
            case .rows:
                FewRowsProduct.multiply(
                    kernels, rows: rows, left.pointer.assumingMemoryBound(to: Float.self), weight, columns: block.columns, into: out)
            case .packedInPassing(let format, let matrix):
                MatrixProduct.multiplyGroup(
                    format.layout(kernels), m: rows, columns: block.columns, k: depth, left, matrix, into: out, stride: columns, beta: beta)
            case .packed(let packed): packed.multiply(block, left, into: out, stride: columns, beta: beta)
            }
        }
        if let bias {
            kernels.pointee.finish(
                block.rows.count, block.columns.count, bias.pointer + block.columns.lowerBound, Kernels.activation(.nothing), nil, columns,
                out + first, columns)
        }
    }
}

/// Several products as one parallel region, whose parts are the blocks of all of them.
enum ProductGroup {
    /// A block of one of the products.
    private struct Part {
        let product: Int
        let block: ProductParts.Block
        /// The number of multiplications.
        let cost: Int
    }

    /// Computes products that do not depend on each other.
    static func compute(_ products: [PreparedProduct]) {
        let isCut = isCut(products)
        var parts = products.enumerated().flatMap { index, product in
            product.blocks(isCut: isCut).map {
                Part(product: index, block: $0, cost: $0.rows.count * $0.columns.count * product.depth)
            }
        }
        // the largest parts first: the last ones, for which some threads wait, are short
        if isCut, products.count > 1 { parts.sort { $0.cost > $1.cost } }
        Compute.forChunks(parts.count, grain: isCut ? 1 : parts.count) {
            for part in parts[$0] { products[part.product].compute(part.block) }
        }
        withExtendedLifetime(products) {}
    }

    /// Computes each block of all products at once, in the order of the products, which must have the same blocks
    /// (``PreparedProduct/hasBlocks(of:)``). With the same C they add to it while it is in the cache.
    /// - Parameter following: called for every block after it is computed.
    static func computeTogether(_ products: [PreparedProduct], then following: (ProductParts.Block) -> Void = { _ in }) {
        guard let first = products.first else { return }
        let isCut = isCut(products)
        let blocks = first.blocks(isCut: isCut)
        Compute.forChunks(blocks.count, grain: isCut ? 1 : blocks.count) {
            for block in blocks[$0] {
                for product in products { product.compute(block) }
                following(block)
            }
        }
        withExtendedLifetime(products) {}
    }

    private static func isCut(_ products: [PreparedProduct]) -> Bool {
        Compute.threads > 1 && products.reduce(0) { $0 + $1.work } >= ProductParts.leastCut
    }
}
