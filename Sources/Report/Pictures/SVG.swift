internal import Foundation

/// Pieces of an SVG document. Lengths are in pixels and written with one decimal.
enum SVG {
    /// A document on white ground.
    static func document(width: Double, height: Double, _ elements: [String]) -> String {
        let head = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
                + "font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        return (head + elements + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// The frame of a panel.
    static func frame(left: Double, top: Double, width: Double, height: Double) -> String {
        "<rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(width))\" height=\"\(number(height))\" "
            + "fill=\"none\" stroke=\"#9ca3af\"/>"
    }

    /// A straight line.
    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, width: Double = 1) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(colour)\" "
            + "stroke-width=\"\(number(width))\"/>"
    }

    /// A line through several points.
    static func path(_ points: [(x: Double, y: Double)], _ colour: String, width: Double) -> String {
        let places = points.map { "\(number($0.x)),\(number($0.y))" }
        return "<polyline points=\"\(places.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" "
            + "stroke-width=\"\(number(width))\"/>"
    }

    /// A text at a place, which is its start, middle or end.
    static func text(_ x: Double, _ y: Double, _ content: String, anchor: String, style: String = "") -> String {
        let safe = content.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" \(style)>\(safe)</text>"
    }

    /// A length as it is written.
    static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
