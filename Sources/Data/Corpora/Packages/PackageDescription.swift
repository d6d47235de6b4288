/// A package description: a one-line synopsis, and a text in paragraphs.
package struct PackageDescription: Equatable {
    /// The one-line summary.
    package var synopsis: String
    /// The long description. Paragraphs are separated by an empty line; each list item is on its own line.
    package var text: String

    /// Unwraps a description in control format. The first line is the synopsis. Below it, a line with one leading space
    /// is running text, a single dot ends a paragraph, and a line with more leading space is verbatim (mostly lists).
    package init(control: String) {
        var lines = control.split(separator: "\n", omittingEmptySubsequences: false)
        synopsis = lines.isEmpty ? "" : lines.removeFirst().trimmingSpaces()
        var paragraphs: [[String]] = [[]]
        var isListItem = false
        for line in lines {
            let content = line.trimmingSpaces()
            if content == "." || content.isEmpty {
                paragraphs.append([])
                isListItem = false
                continue
            }
            let isVerbatim = line.dropFirst().first?.isWhitespace ?? false
            let beginsItem = isVerbatim && Self.beginsListItem(content)
            let joins = isVerbatim ? isListItem && !beginsItem : !isListItem
            let here = paragraphs.count - 1
            if joins, let last = paragraphs[here].last {
                paragraphs[here][paragraphs[here].count - 1] = last + " " + content
            } else {
                paragraphs[here].append(content)
            }
            isListItem = isVerbatim && (beginsItem || isListItem)
        }
        text = paragraphs.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    /// Whether a line starts with a list bullet.
    private static func beginsListItem(_ line: String) -> Bool {
        guard let first = line.first else { return false }
        if "*-+•·".contains(first) { return true }
        return first == "o" && line.dropFirst().first == " "
    }
}
