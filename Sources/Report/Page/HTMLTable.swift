package import Eval
internal import Foundation

/// A table of a page: a caption, a heading for each column, and one for each row.
package struct HTMLTable {
    /// One cell.
    package struct Cell {
        var markup: HTML
        /// What it is sorted by; nil for its text.
        var order: Double?

        /// A text.
        package static func text(_ text: String) -> Cell { Cell(markup: "<bdi>\(text)</bdi>") }

        /// Markup.
        package static func markup(_ markup: HTML) -> Cell { Cell(markup: markup) }

        /// A number as it is shown, and its value to sort by.
        package static func number(_ shown: String, _ value: Double?) -> Cell { Cell(markup: HTML(text: shown), order: value) }

        /// A mean with its interval, if it has one; a dash for none.
        package static func interval(_ interval: Interval?, digits: Int = 3) -> Cell {
            guard let interval, interval.mean.isFinite else { return Cell(markup: "–") }
            func fixed(_ value: Double) -> String { String(format: "%.\(digits)f", value) }
            let range: HTML =
                interval.high - interval.low <= 1e-9 * max(1, abs(interval.mean))
                ? "" : " <span class=\"quiet\">[\(fixed(interval.low)), \(fixed(interval.high))]</span>"
            return Cell(markup: "\(fixed(interval.mean))\(range)", order: interval.mean)
        }
    }

    /// What it shows.
    package var caption: HTML
    /// Headings, and whether numbers stand below them.
    package var columns: [(title: String, isNumber: Bool)]
    /// The first cell of each row is its heading.
    package var rows: [[Cell]] = []
    /// Whether the page's script may sort it.
    package var isSortable = false
    /// How many rows are shown; the others are left out, with a note.
    package var limit = 200

    /// A table without rows.
    package init(_ caption: HTML, _ columns: [(title: String, isNumber: Bool)]) { (self.caption, self.columns) = (caption, columns) }

    /// The table, which scrolls by itself where it is wider than the window.
    package var markup: HTML {
        let heads = columns.map { "<th scope=\"col\"\($0.isNumber ? " class=\"number\"" as HTML : "")>\($0.title)</th>" as HTML }
        let lines = rows.prefix(limit).map { row in
            let cells = zip(row, columns).enumerated().map { index, pair -> HTML in
                let (cell, column) = pair
                let kind: HTML = column.isNumber ? " class=\"number\"" : ""
                let order: HTML = cell.order.map { $0.isFinite ? " data-order=\"\(String($0))\"" : "" } ?? ""
                return index == 0
                    ? "<th scope=\"row\"\(kind)\(order)>\(cell.markup)</th>" : "<td\(kind)\(order)>\(cell.markup)</td>"
            }
            return "<tr>\(cells)</tr>\n" as HTML
        }
        let cut: HTML =
            rows.count > limit ? "<p class=\"quiet\">The first \(limit) of \(rows.count) rows are shown.</p>\n" : ""
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="Table">
            <table\(isSortable ? " class=\"sortable\"" as HTML : "")>
            <caption><div>\(caption)</div></caption>
            <thead><tr>\(heads)</tr></thead>
            <tbody>
            \(lines)</tbody>
            </table>
            </div>
            \(cut)
            """
    }
}
