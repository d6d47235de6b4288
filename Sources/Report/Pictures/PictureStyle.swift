/// How a series is drawn: with a colour that people with any type of colour vision can distinguish, and with a mark and a dash
/// pattern that distinguish it without colour.
package struct PictureStyle: Equatable, Sendable {
    /// The number of the style. 0 is grey, for the baseline that others are compared with.
    package var number: Int

    /// Creates a style from its number. The eight colours repeat, with other marks and dash patterns.
    package init(_ number: Int) { self.number = max(0, number) }

    /// The colours on a white background, equal to `--s0` to `--s7` in `page.css`.
    private static let colours = ["#5b6472", "#1d5fd0", "#b45309", "#047857", "#b4237a", "#6d3fc4", "#0e7490", "#8a5a00"]
    private static let dashes = ["", "", "7 3", "2.5 3", "10 3 2.5 3", "", "7 3", "2.5 3"]

    private var place: Int { number % Self.colours.count }

    /// Attributes of a line: its colour in a separate file, and its class in the page's style sheet.
    var stroke: String { "class=\"l\(place)\" stroke=\"\(Self.colours[place])\"" }

    /// Attributes of a filled shape or text.
    var fill: String { "class=\"f\(place)\" fill=\"\(Self.colours[place])\"" }

    /// The dash pattern of lines, as an attribute with a leading space; empty for a solid line.
    var dash: String {
        let dash = Self.dashes[(place + number / Self.colours.count) % Self.dashes.count]
        return dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    }

    /// A mark at a position.
    /// - Parameters:
    ///   - size: about half the width of the mark, in pixels.
    ///   - isHollow: whether only the outline is drawn, filled with the background colour.
    func mark(_ x: Double, _ y: Double, size: Double, isHollow: Bool = false) -> String {
        let paint =
            isHollow
            ? "class=\"m hollow l\(place)\" fill=\"#ffffff\" stroke=\"\(Self.colours[place])\" stroke-width=\"1.5\""
            : "class=\"m f\(place)\" fill=\"\(Self.colours[place])\""
        func number(_ value: Double) -> String { SVG.number(value) }
        func polygon(_ points: [(Double, Double)]) -> String {
            let places = points.map { "\(number(x + $0.0 * size)),\(number(y + $0.1 * size))" }.joined(separator: " ")
            return "<polygon \(paint) points=\"\(places)\"/>"
        }
        switch (self.number + self.number / Self.colours.count) % 6 {
        case 1: return polygon([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
        case 2: return polygon([(0, -1.2), (1.15, 0.9), (-1.15, 0.9)])
        case 3: return polygon([(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)])
        case 4: return polygon([(0, 1.2), (1.15, -0.9), (-1.15, -0.9)])
        case 5:
            return polygon([
                (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4),
                (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4),
            ])
        default: return "<circle \(paint) cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(size))\"/>"
        }
    }
}
