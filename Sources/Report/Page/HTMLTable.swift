package import Eval
internal import Foundation

/// A table of a page, with a caption, column headings and row headings.
package struct HTMLTable {
    /// One cell.
    package struct Cell {
        var markup: HTML
        /// The value to sort by; nil to sort by the text.
        var order: Double?

        /// A cell with text, isolated for bidirectional display.
        package static func text(_ text: String) -> Cell { Cell(markup: "<bdi>\(text)</bdi>") }

        /// A cell with markup.
        package static func markup(_ markup: HTML) -> Cell { Cell(markup: markup) }

        /// A cell with a number as text, and its value for sorting.
        package static func number(_ shown: String, _ value: Double?) -> Cell { Cell(markup: HTML(text: shown), order: value) }

        /// A cell with a mean and its interval; no interval if its width is zero, a dash if the mean is nil, NaN or Inf.
        package static func interval(_ interval: Interval?, digits: Int = 3) -> Cell {
            guard let interval, interval.mean.isFinite else { return Cell(markup: "–") }
            func fixed(_ value: Double) -> String { String(format: "%.\(digits)f", value) }
            let range: HTML =
                interval.high - interval.low <= 1e-9 * max(1, abs(interval.mean))
                ? "" : " <span class=\"quiet\">[\(fixed(interval.low)), \(fixed(interval.high))]</span>"
            return Cell(markup: "\(fixed(interval.mean))\(range)", order: interval.mean)
        }
    }

    /// What the table shows.
    package var caption: HTML
    /// Column headings, and whether the column contains numbers.
    package var columns: [(title: String, isNumber: Bool)]
    /// The rows. The first cell of each row is its heading.
    package var rows: [[Cell]] = []
    /// Whether the page's script may sort the table.
    package var isSortable = false
    /// The maximum number of rows shown. A note gives the number of all rows.
    package var limit = 200

    /// Creates a table without rows.
    package init(_ caption: HTML, _ columns: [(title: String, isNumber: Bool)]) { (self.caption, self.columns) = (caption, columns) }

    /// The table's markup. A table that is wider than the window scrolls separately.
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
