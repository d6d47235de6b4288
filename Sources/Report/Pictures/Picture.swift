/// A picture: one or more related panels. It can be written as one SVG file, or placed in a page, where its panels wrap with
/// the width of the window.
package struct Picture: Sendable {
    /// The name of the picture's file, without an extension.
    package var name: String
    /// The title.
    package var title: String
    /// The panels, from left to right and then from top to bottom.
    package var panels: [PicturePanel]
    /// The number of panels per row in a file.
    package var columns = 2

    /// Creates a picture.
    package init(name: String, title: String, _ panels: [PicturePanel], columns: Int = 2) {
        (self.name, self.title, self.panels, self.columns) = (name, title, panels, columns)
    }

    /// The picture as a separate SVG document.
    package var document: String {
        let drawn = panels.map { $0.drawn(endRoom: $0.endRoom) }
        let columns = max(1, min(columns, drawn.count))
        let rows = stride(from: 0, to: drawn.count, by: columns).map { Array(drawn[$0..<min($0 + columns, drawn.count)]) }
        let widths = (0..<columns).map { column in rows.compactMap { column < $0.count ? $0[column].width : nil }.max() ?? 0 }
        var (elements, top): ([String], Double) = ([], 10)
        for row in rows {
            var left = 10.0
            for (panel, width) in zip(row, widths) {
                elements.append("<g transform=\"translate(\(SVG.number(left)) \(SVG.number(top)))\">")
                elements += panel.elements + ["</g>"]
                left += width + 12
            }
            top += (row.map(\.height).max() ?? 0) + 10
        }
        let width = widths.reduce(20) { $0 + $1 } + 12 * Double(columns - 1)
        let description = panels.map { "\($0.title): \($0.description)" }.joined(separator: " ")
        return SVG.document(width: width, height: top, id: name, title: title, description: description, isFile: true, elements)
    }

    /// The picture as part of a page, where every panel is a separate SVG image.
    package var markup: HTML {
        // equal label widths align panels that are placed below each other
        let endRoom = panels.map(\.endRoom).max() ?? 0
        let images = panels.enumerated().map { index, panel in
            let drawn = panel.drawn(endRoom: endRoom)
            return SVG.document(
                width: drawn.width, height: drawn.height, id: "\(name)-\(index + 1)",
                title: panel.title.isEmpty ? title : "\(title): \(panel.title)",
                description: panel.description, isFile: false, drawn.elements)
        }
        return "<div class=\"panels\">\n\(HTML(trusted: images.joined()))</div>\n"
    }

    /// The picture as a figure with a caption.
    package func figure(_ caption: HTML) -> HTML { "<figure>\n\(markup)<figcaption>\(caption)</figcaption>\n</figure>\n" }
}
