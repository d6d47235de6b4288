/// Markup that is safe to insert into a page.
///
/// String literals are markup, and interpolated strings are text: `"<td>\(response)</td>"` escapes the response. Text from
/// models and people therefore cannot become markup or a script. Interpolated `HTML` is inserted unchanged.
package struct HTML: Equatable, Sendable, ExpressibleByStringInterpolation {
    /// The markup as it is written to a file.
    package private(set) var source: String

    /// Creates markup from a string literal, unescaped.
    package init(stringLiteral value: String) { source = value }

    /// Creates markup from an interpolated string literal.
    package init(stringInterpolation parts: Interpolation) { source = parts.source }

    /// Creates empty markup.
    package init() { source = "" }

    /// Creates markup from text, which is escaped.
    package init(text: String) { source = Self.escaped(text) }

    /// Creates markup from a string that this program has made, such as a picture, without escaping.
    package init(trusted source: String) { self.source = source }

    /// Concatenates several pieces of markup.
    package init(_ pieces: some Sequence<HTML>) { source = pieces.map(\.source).joined() }

    /// Concatenates two pieces of markup.
    package static func + (left: HTML, right: HTML) -> HTML { HTML(trusted: left.source + right.source) }

    /// Appends markup.
    package static func += (left: inout HTML, right: HTML) { left.source += right.source }

    /// Escapes the characters that have a meaning in markup and in quoted attributes. Control characters and noncharacters,
    /// which are not allowed in a page, become U+FFFD.
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
            // a literal carriage return would be parsed as a line feed
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

    /// Collects the literals and values of an interpolated string.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        /// Creates an empty collector with a capacity in bytes.
        package init(literalCapacity: Int, interpolationCount: Int) { source.reserveCapacity(literalCapacity) }

        /// Appends a literal, unescaped.
        package mutating func appendLiteral(_ literal: String) { source += literal }

        /// Appends text, escaped. Attribute values must be in quotes.
        package mutating func appendInterpolation(_ text: String) { source += HTML.escaped(text) }

        /// Appends an integer.
        package mutating func appendInterpolation(_ number: Int) { source += String(number) }

        /// Appends markup, unchanged.
        package mutating func appendInterpolation(_ markup: HTML) { source += markup.source }

        /// Appends several pieces of markup, unchanged.
        package mutating func appendInterpolation(_ markup: [HTML]) { for piece in markup { source += piece.source } }
    }
}
