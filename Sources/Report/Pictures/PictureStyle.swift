/// How a series is drawn: a colour that people with any kind of colour vision can tell from the others, and a mark and a dash that tell it
/// apart without colour.
package struct PictureStyle: Equatable, Sendable {
    /// Which one. 0 is the grey of what others are compared with.
    package var number: Int

    /// A style by its number; there are eight colours, with differing dashes and marks behind them.
    package init(_ number: Int) { self.number = max(0, number) }

    /// The colours on white ground, which are `--s0` to `--s7` of `page.css`.
    private static let colours = ["#5b6472", "#1d5fd0", "#b45309", "#047857", "#b4237a", "#6d3fc4", "#0e7490", "#8a5a00"]
    private static let dashes = ["", "", "7 3", "2.5 3", "10 3 2.5 3", "", "7 3", "2.5 3"]

    private var place: Int { number % Self.colours.count }

    /// Attributes of a line: of a file of its own, and the class that the page's style sheet knows.
    var stroke: String { "class=\"l\(place)\" stroke=\"\(Self.colours[place])\"" }

    /// Attributes of a filled shape or a text.
    var fill: String { "class=\"f\(place)\" fill=\"\(Self.colours[place])\"" }

    /// The dash of lines, as an attribute with a space before it; nothing for a continuous one.
    var dash: String {
        let dash = Self.dashes[(place + number / Self.colours.count) % Self.dashes.count]
        return dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    }

    /// A mark at a place.
    /// - Parameter isHollow: whether only its edge is drawn, over the ground.
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
