/// Formats fields of comma-separated values.
package enum CSVField {
    /// The text unchanged, or quoted if it contains a comma, a quotation mark or a line break.
    package static func text(_ text: String) -> String {
        text.contains { ",\"\n\r\r\n".contains($0) } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
