internal import Foundation

/// Parts of an SVG document. Lengths are in pixels, written with one decimal.
///
/// Colours are given twice: as attributes, for separate files on a white background, and as classes, which the style sheet of a
/// page overrides.
enum SVG {
    /// The comment that marks documents made by this program.
    static let generator = "<!-- made by swift-rlhf -->"

    /// An SVG document or a part of a page, with a title and a description as a text alternative.
    /// - Parameters:
    ///   - id: a prefix for the IDs of elements; it must be unique in the page.
    ///   - isFile: whether it is a separate file, with a white background.
    static func document(
        width: Double, height: Double, id: String, title: String, description: String, isFile: Bool, _ elements: [String]
    ) -> String {
        let size = "width=\"\(number(width))\" height=\"\(number(height))\" viewBox=\"0 0 \(number(width)) \(number(height))\""
        var head = [
            "<svg class=\"picture\" xmlns=\"http://www.w3.org/2000/svg\" \(size) role=\"img\" "
                + "aria-labelledby=\"\(id)-title\" aria-describedby=\"\(id)-desc\" font-family=\"sans-serif\" font-size=\"12\">",
            "<title id=\"\(id)-title\">\(escaped(title))</title>",
            "<desc id=\"\(id)-desc\">\(escaped(description))</desc>",
        ]
        if isFile {
            head.insert(generator, at: 1)
            head.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")
        }
        return (head + elements + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// The frame of a panel.
    static func frame(left: Double, top: Double, width: Double, height: Double) -> String {
        "<rect class=\"frame\" x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(width))\" height=\"\(number(height))\" "
            + "fill=\"none\" stroke=\"#9ca3af\"/>"
    }

    /// A straight line.
    /// - Parameter paint: attributes for colour and class.
    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ paint: String, width: Double = 1) -> String {
        "<line \(paint) x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke-width=\"\(number(width))\"/>"
    }

    /// A grid line behind the data.
    static func gridLine(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        line(x1, y1, x2, y2, "class=\"grid\" stroke=\"#e5e7eb\"")
    }

    /// A line through several points.
    static func path(_ points: [(x: Double, y: Double)], _ paint: String, width: Double) -> String {
        "<polyline \(paint) fill=\"none\" stroke-width=\"\(number(width))\" stroke-linejoin=\"round\" points=\"\(places(points))\"/>"
    }

    /// A translucent filled polygon.
    static func area(_ points: [(x: Double, y: Double)], _ paint: String, opacity: Double = 0.18) -> String {
        "<polygon \(paint) fill-opacity=\"\(opacity)\" points=\"\(places(points))\"/>"
    }

    /// A text at a position, which is its start, middle or end.
    static func text(_ x: Double, _ y: Double, _ content: String, anchor: String = "start", _ paint: String = "fill=\"#16181d\"") -> String
    {
        let side = anchor == "start" ? "" : " text-anchor=\"\(anchor)\""
        return "<text x=\"\(number(x))\" y=\"\(number(y))\"\(side) \(paint)>\(escaped(content))</text>"
    }

    /// The approximate width, in pixels, of a text at a font size of 12 pixels.
    static func width(of text: String) -> Double { text.reduce(0) { $0 + ($1.isUppercase || $1 == "m" || $1 == "w" ? 8.2 : 6.4) } }

    /// A name truncated to a maximum number of characters.
    static func shortened(_ name: String, to limit: Int = 26) -> String {
        name.count > limit ? String(name.prefix(limit - 1)) + "…" : name
    }

    /// Text with markup characters escaped, and with control characters for the writing direction replaced.
    static func escaped(_ text: String) -> String {
        var safe = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let turns = (0x202a...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            safe.append(turns ? "\u{fffd}" : scalar)
        }
        return HTML.escaped(String(safe))
    }

    private static func places(_ points: [(x: Double, y: Double)]) -> String {
        points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    }

    /// A length with at most one decimal.
    static func number(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
