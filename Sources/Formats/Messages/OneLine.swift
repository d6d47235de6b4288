/// Formatting of text from files, names and options in messages: on one line and of limited length.
package enum OneLine {
    /// The maximum length of a printed message in bytes.
    package static let messageLimit = 4000

    /// The text with all characters escaped that would affect a terminal: newlines as `\n`, other control characters and
    /// bidirectional controls as `\u{1b}`.
    package static func escaped(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: acts) else { return String(text) }
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": shown += "\\n"
            case "\r": shown += "\\r"
            case "\t": shown += "\\t"
            case _ where acts(scalar): shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// The first characters of a text, escaped and in quotation marks; "…" marks a cut.
    package static func quoted(_ text: some StringProtocol, limit: Int = 80) -> String {
        let start = text.prefix(limit)
        return "\"" + escaped(start) + (start.endIndex < text.endIndex ? "…" : "") + "\""
    }

    /// A message as it is printed: lines joined by spaces, control characters escaped, and the middle of a very long message
    /// omitted.
    package static func message(_ text: String) -> String {
        var text = text
        if text.utf8.count > messageLimit {
            // keep the beginning, and the end, which usually contains the advice
            text = prefix(text, messageLimit - 1000) + " … " + suffix(text, 900)
        }
        let joined = text.split(whereSeparator: \.isNewline).map(trimmed).joined(separator: " ")
        return escaped(joined)
    }

    /// Whether a byte is JSON whitespace.
    package static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line.drop { $0 == " " || $0 == "\t" }
        while let last = line.last, last == " " || last == "\t" { line.removeLast() }
        return line
    }

    /// The longest prefix of a text with at most `count` bytes of UTF-8.
    private static func prefix(_ text: String, _ count: Int) -> String {
        var left = count
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix { scalar in
                    left -= UTF8.width(scalar)
                    return left >= 0
                }))
    }

    /// The longest suffix of a text with at most `count` bytes of UTF-8.
    private static func suffix(_ text: String, _ count: Int) -> String {
        var scalars: [Unicode.Scalar] = []
        var left = count
        for scalar in text.unicodeScalars.reversed() {
            left -= UTF8.width(scalar)
            if left < 0 { break }
            scalars.append(scalar)
        }
        return String(String.UnicodeScalarView(scalars.reversed()))
    }

    private static func acts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
