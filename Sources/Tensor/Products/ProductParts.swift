// How a product with packed panels is distributed over threads.

/// The blocks of C[rows, columns] = A · B that are computed in parallel, for B in panels of 64 columns.
///
/// A block covers the columns of a few panels and some of the rows. The panels stay in the cache of the thread that computes the
/// block, and A is read once per group of panels instead of once per panel. There are more blocks than threads, to balance the
/// load. Every element of C is one sum in a fixed order: the result does not depend on the blocks.
package enum ProductParts {
    /// The number of columns of a panel.
    static let panel = 64
    /// The minimum number of rows of a block, if there are as many: panels come from a more distant cache than the rows of A.
    private static let fewestRows = 48
    /// The number of blocks per thread.
    private static let partsPerThread = 6

    /// The number of multiplications from which work is split among threads.
    static let leastCut = 100_000

    /// Whether a product has so few multiplications that it is not split among threads.
    static func isSmall(_ rows: Int, _ columns: Int, _ depth: Int) -> Bool { rows * columns * depth < leastCut }

    /// Whether so many rows are better split than multiplied by one panel after another.
    static func splitsRows(_ rows: Int) -> Bool { rows >= 2 * fewestRows }

    /// Calls `body` for every block of a product with a packed matrix. The rows of a block begin at a multiple of `rowUnit`, its
    /// columns with a panel.
    package static func forEach(
        rows: Int, columns: Int, depth: Int, rowUnit: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
    ) {
        let isCut = Compute.threads > 1 && !isSmall(rows, columns, depth)
        let blocks = blocks(rows: rows, columns: columns, rowUnit: rowUnit, isCut: isCut)
        Compute.forChunks(blocks.count, grain: isCut ? 1 : blocks.count) { parts in
            for block in blocks[parts] { body(block.rows, block.columns) }
        }
    }

    /// A block of C.
    struct Block {
        var rows: Range<Int>
        var columns: Range<Int>
    }

    /// The blocks of a product with a packed matrix, as in ``forEach(rows:columns:depth:rowUnit:_:)``.
    /// - Parameters:
    ///   - rows: the rows of C.
    ///   - columns: the columns of C.
    ///   - rowUnit: the unit of rows at whose multiples blocks begin.
    ///   - isCut: whether the blocks are for several threads.
    static func blocks(rows: Int, columns: Int, rowUnit: Int, isCut: Bool) -> [Block] {
        let wanted = isCut ? partsPerThread * Compute.threads : 1
        let units = (rows + rowUnit - 1) / rowUnit
        let most = isCut ? max(1, min(rows / fewestRows, units)) : 1
        let panels = (columns + panel - 1) / panel
        // use smaller groups if there are too few rows to split
        let width = max(1, min(Kernels.panelGroup, panels * most / wanted)) * panel
        let groups = (columns + width - 1) / width
        if groups == 0 { return [] }
        let cuts = min(most, (wanted + groups - 1) / groups)
        return (0..<groups * cuts).map { part in
            let (group, cut) = (part / cuts, part % cuts)
            let first = units * cut / cuts * rowUnit
            return Block(
                rows: first..<min(rows, units * (cut + 1) / cuts * rowUnit), columns: group * width..<min(columns, (group + 1) * width))
        }
    }

    /// The groups of panels for a matrix that is packed block by block, so that a block has all rows: full groups first, then smaller
    /// ones. A group saves reading A again, which few rows do not need: for them one panel alone stays in a nearer cache.
    static func groups(panels: Int, rows: Int, threads: Int) -> [Range<Int>] {
        let most = rows < ProductTable.manyRows ? 1 : Kernels.panelGroup
        var groups: [Range<Int>] = []
        var first = 0
        while first < panels {
            let size = max(1, min(most, (panels - first) / threads))
            groups.append(first..<first + size)
            first += size
        }
        return groups
    }
}
