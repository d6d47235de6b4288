/// Markup that is safe to put into a page.
///
/// Literals are markup, and what is interpolated into them is text: `"<td>\(response)</td>"` escapes the response. Texts that models and
/// people wrote can therefore become neither markup nor script. Markup is put into other markup unchanged.
package struct HTML: Equatable, Sendable, ExpressibleByStringInterpolation {
    /// The markup as it stands in a file.
    package private(set) var source: String

    /// Markup that stands in this program's own source.
    package init(stringLiteral value: String) { source = value }

    package init(stringInterpolation parts: Interpolation) { source = parts.source }

    /// Nothing.
    package init() { source = "" }

    /// A text, escaped.
    package init(text: String) { source = Self.escaped(text) }

    /// Markup that another part of this program has made, such as a picture: nothing in it is escaped.
    package init(trusted source: String) { self.source = source }

    /// Several pieces behind each other.
    package init(_ pieces: some Sequence<HTML>) { source = pieces.map(\.source).joined() }

    package static func + (left: HTML, right: HTML) -> HTML { HTML(trusted: left.source + right.source) }

    package static func += (left: inout HTML, right: HTML) { left.source += right.source }

    /// Escapes what has a meaning in markup and in quoted attributes. Control characters, which no page may have, become U+FFFD.
    package static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            // a carriage return would read back as a line feed
            case "\r": result += "&#13;"
            case _
            where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value & 0xfffe == 0xfffe
                || (0xfdd0...0xfdef).contains(scalar.value):
                result.unicodeScalars.append("\u{fffd}")
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// What stands between the literals.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        package init(literalCapacity: Int, interpolationCount: Int) { source.reserveCapacity(literalCapacity) }

        package mutating func appendLiteral(_ literal: String) { source += literal }

        /// A text, escaped; also for the value of an attribute, which must stand in quotes.
        package mutating func appendInterpolation(_ text: String) { source += HTML.escaped(text) }

        /// A whole number.
        package mutating func appendInterpolation(_ number: Int) { source += String(number) }

        /// Markup, unchanged.
        package mutating func appendInterpolation(_ markup: HTML) { source += markup.source }

        /// Several pieces of markup behind each other.
        package mutating func appendInterpolation(_ markup: [HTML]) { for piece in markup { source += piece.source } }
    }
}
