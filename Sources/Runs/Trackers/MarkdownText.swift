internal import Data
internal import Formats

/// Formats model output as Markdown for dashboards. Markup in the text is escaped.
enum MarkdownText {
    /// A Markdown table of the first rows of a table of samples.
    /// - Parameters:
    ///   - samples: The samples.
    ///   - rows: The maximum number of rows.
    ///   - characters: The maximum length of each text.
    static func table(_ samples: [SampleRow], rows: Int = 8, characters: Int = 1000) -> String {
        var text = "| prompt | response | reference | reward |\n|---|---|---|---|\n"
        for row in samples.prefix(rows) {
            // keep the end of a long prompt, where the question usually is
            let cells = [
                cell(row.input, characters, fromEnd: true), cell(row.response, characters), cell(row.reference ?? "", characters),
                row.reward.map { "\($0)" } ?? "",
            ]
            text += "| \(cells.joined(separator: " | ")) |\n"
        }
        if samples.count > rows { text += "\nThe tables of the run have \(Counted(samples.count - rows, "more row")).\n" }
        return text
    }

    /// The text of a table cell: markup is escaped and line breaks are kept.
    static func cell(_ text: String, _ characters: Int, fromEnd: Bool = false) -> String {
        let isCut = text.count > characters
        let part = isCut ? (fromEnd ? "…" + text.suffix(characters) : text.prefix(characters) + "…") : text
        var result = ""
        for scalar in part.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "|": result += "&#124;"
            case "\n": result += "<br>"
            case "\\", "`", "*", "_", "[", "]", "(", ")", "#", "!", "~", "$", "{", "}": result += "&#\(scalar.value);"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
