/// Text of files, names and options as messages show it: on one line, of bounded length.
package enum OneLine {
    /// The longest message that a program prints, in bytes.
    package static let messageLimit = 4000

    /// The text with everything that a terminal would act on written out: line ends as `\n`, other control characters and marks of the
    /// direction of writing as `\u{1b}`.
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

    /// The beginning of a text in quotation marks, for a message that says what was met.
    package static func quoted(_ text: some StringProtocol, limit: Int = 80) -> String {
        let start = text.prefix(limit)
        return "\"" + escaped(start) + (start.endIndex < text.endIndex ? "…" : "") + "\""
    }

    /// A message as it is printed: lines joined by spaces, control characters written out, the middle of a very long one left out.
    package static func message(_ text: String) -> String {
        var text = text
        if text.utf8.count > messageLimit {
            // whole characters of the beginning and of the end, where the advice stands
            text = prefix(text, messageLimit - 1000) + " … " + suffix(text, 900)
        }
        let joined = text.split(whereSeparator: \.isNewline).map(trimmed).joined(separator: " ")
        return escaped(joined)
    }

    /// Whether a byte is white space of JSON.
    package static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line.drop { $0 == " " || $0 == "\t" }
        while let last = line.last, last == " " || last == "\t" { line.removeLast() }
        return line
    }

    /// The first scalars of a text that have at most so many bytes.
    private static func prefix(_ text: String, _ count: Int) -> String {
        var left = count
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix { scalar in
                    left -= UTF8.width(scalar)
                    return left >= 0
                }))
    }

    /// The last scalars of a text that have at most so many bytes.
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
