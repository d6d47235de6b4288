/// The description of a package as people wrote it: a line, and a text in paragraphs.
package struct PackageDescription: Equatable {
    package var synopsis: String
    /// Paragraphs are separated by an empty line; items of lists stand on lines of their own.
    package var text: String

    /// Unwraps the control format: the first line is the synopsis; below it, lines with one leading space are running
    /// text, a lone dot ends a paragraph, and lines with more leading space are shown as they are (lists, mostly).
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

    private static func beginsListItem(_ line: String) -> Bool {
        guard let first = line.first else { return false }
        if "*-+•·".contains(first) { return true }
        return first == "o" && line.dropFirst().first == " "
    }
}
