// How a product with a packed matrix is shared out among threads.

/// The parts of C[rows, columns] = A · B for a B in panels of 64 columns.
///
/// A part has the columns of a few panels and some of the rows: the panels stay in the cache of the thread that works on the part, and A is
/// read once for each group of panels, not for each panel. There are a few more parts than threads, should one be slower. Every number of
/// C is one sum in a fixed order: how the work is cut does not show in the result.
package enum ProductParts {
    /// How many columns lie side by side in a panel.
    static let panel = 64
    /// A part has no fewer rows, if there are as many: a panel comes from further away than the rows of A.
    private static let fewestRows = 48
    /// Below this many multiplications a product is not cut.
    private static let smallest = 100_000

    /// Calls `body` for every part; the rows of a part begin at multiples of `rowUnit`, its columns with a panel.
    package static func forEach(
        rows: Int, columns: Int, depth: Int, rowUnit: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
    ) {
        let width = Kernels.panelGroup * panel
        let groups = (columns + width - 1) / width
        let isCut = rows * columns * depth >= smallest && Compute.threads > 1
        let wanted = isCut && groups > 0 ? (6 * Compute.threads + groups - 1) / groups : 1
        let units = (rows + rowUnit - 1) / rowUnit
        let cuts = max(1, min(wanted, rows / fewestRows, units))
        Compute.forChunks(groups * cuts, grain: isCut ? 1 : groups) { parts in
            for part in parts {
                let (group, cut) = (part / cuts, part % cuts)
                let first = units * cut / cuts * rowUnit
                body(
                    first..<min(rows, units * (cut + 1) / cuts * rowUnit),
                    group * width..<min(columns, (group + 1) * width))
            }
        }
    }
}
