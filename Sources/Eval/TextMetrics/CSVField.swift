/// A field of comma-separated values.
package enum CSVField {
    /// The text as it is, or in quotes where it would otherwise be taken for several fields or lines.
    package static func text(_ text: String) -> String {
        text.contains { ",\"\n\r\r\n".contains($0) } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
