import Runs
/// A text table for terminals and Markdown.
public struct TextTable: Equatable, Sendable {
    /// The horizontal alignment of cells.
    public enum Alignment: Sendable { case left, right }

    /// A column's title and alignment.
    public struct Column: Equatable, Sendable {
        /// The heading of the column.
        public var title: String
        /// The alignment of the cells; numbers are right-aligned.
        public var alignment: Alignment

        /// Creates a column.
        public init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    /// The columns, from left to right.
    public var columns: [Column]
    /// The rows, from top to bottom. Each has one cell per column.
    public private(set) var rows: [[String]] = []

    /// Creates a table without rows.
    public init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row. Precondition: there is one cell per column.
    public mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
        rows.append(cells)
    }

    /// The table as aligned plain text with a rule below the headings. Each line ends with a newline.
    public var plain: String {
        let lines = [columns.map(\.title)] + rows
        let widths = widths(of: lines)
        var text = lines.map { trimmed(padded($0, widths).joined(separator: "  ")) }
        text.insert(widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
        return text.joined(separator: "\n") + "\n"
    }

    /// The table as Markdown, with aligned columns in the source as well. Each line ends with a newline.
    public var markdown: String {
        let lines = ([columns.map(\.title)] + rows).map { $0.map(Self.escaped) }
        let widths = widths(of: lines).map { max(3, $0) }
        let rule = zip(columns, widths).map { column, width in
            column.alignment == .right
                ? String(repeating: "-", count: width - 1) + ":" : String(repeating: "-", count: width)
        }
        let text = lines.map { padded($0, widths) }
        return ([text[0], rule] + text.dropFirst()).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private func widths(of lines: [[String]]) -> [Int] {
        columns.indices.map { index in lines.map { $0[index].count }.max() ?? 0 }
    }

    private func padded(_ cells: [String], _ widths: [Int]) -> [String] {
        zip(zip(cells, widths), columns).map { pair, column in
            let space = String(repeating: " ", count: max(0, pair.1 - pair.0.count))
            return column.alignment == .right ? space + pair.0 : pair.0 + space
        }
    }

    private func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }

    private static func escaped(_ cell: String) -> String {
        cell.replacing("|", with: "\\|").replacing("\n", with: " ")
    }
}
