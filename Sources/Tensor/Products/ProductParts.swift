// How a product with panels of columns is shared out among threads.

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
    /// Parts for each thread.
    private static let partsPerThread = 6

    /// Whether a product has so few multiplications that it is not cut.
    static func isSmall(_ rows: Int, _ columns: Int, _ depth: Int) -> Bool { rows * columns * depth < 100_000 }

    /// Calls `body` for every part of a product with a packed matrix; the rows of a part begin at multiples of `rowUnit`, its columns with
    /// a panel.
    package static func forEach(
        rows: Int, columns: Int, depth: Int, rowUnit: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
    ) {
        let isCut = Compute.threads > 1 && !isSmall(rows, columns, depth)
        let wanted = isCut ? partsPerThread * Compute.threads : 1
        let units = (rows + rowUnit - 1) / rowUnit
        let most = isCut ? max(1, min(rows / fewestRows, units)) : 1
        let panels = (columns + panel - 1) / panel
        // smaller groups where there are too few rows to cut
        let width = max(1, min(Kernels.panelGroup, panels * most / wanted)) * panel
        let groups = (columns + width - 1) / width
        if groups == 0 { return }
        let cuts = min(most, (wanted + groups - 1) / groups)
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

    /// The same for a matrix that is packed part by part, so that a part has all rows: whole groups of panels at first, then smaller ones.
    static func groups(panels: Int, threads: Int) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var first = 0
        while first < panels {
            let size = max(1, min(Kernels.panelGroup, (panels - first) / threads))
            groups.append(first..<first + size)
            first += size
        }
        return groups
    }
}
