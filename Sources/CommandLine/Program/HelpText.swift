/// Arranges the help text of a program.
///
/// The text starts with an overview: the abstract, usage, examples and one line for each of the most used options. The reference
/// of all options by group follows. The argument parser writes the reference; this type puts the parts in order.
enum HelpText {
    /// The width of the line of a most used option, in columns.
    private static let width = 80
    /// The width of the option's name in such a line, in columns.
    private static let nameWidth = 33

    /// Reorders a help text.
    /// - Parameters:
    ///   - help: the help text from the argument parser.
    ///   - essentials: the names of the most used options, in kebab-case.
    ///   - spellings: a paragraph on how options can be written; empty to omit it.
    ///   - isShort: whether to return only the overview, without the reference.
    static func arranged(_ help: String, essentials: [String], spellings: String = "", isShort: Bool = false) -> String {
        var sections = Section.sections(of: help)
        guard let overview = sections.firstIndex(where: { $0.title == "OVERVIEW" }) else { return help }
        let about = sections.remove(at: overview)
        guard let usage = sections.firstIndex(where: { $0.title == "USAGE" }) else { return help }
        let use = sections.remove(at: usage)
        // the abstract ends at the first empty line
        let end = about.lines.firstIndex(of: "") ?? about.lines.endIndex
        let abstract = about.lines[..<end].joined(separator: "\n")
        let discussion = about.lines[end...].drop { $0.isEmpty }
        var parts = [abstract, "USAGE: " + use.lines.joined(separator: "\n"), discussion.joined(separator: "\n")]
        let chosen = essentials.compactMap { name in sections.lazy.compactMap { $0.entry(name) }.first.map { line(name, $0) } }
        if !chosen.isEmpty {
            let rest = isShort ? "--help describes all options" : "all options with their defaults are described below"
            parts.append("MOST USED OPTIONS (\(rest)):\n" + chosen.joined(separator: "\n"))
        }
        guard !isShort else { return joined(parts) }
        parts.append(spellings)
        parts += sections.filter { !$0.lines.allSatisfy(\.isEmpty) }.map { "\($0.title):\n" + $0.lines.joined(separator: "\n") }
        return joined(parts)
    }

    private static func joined(_ parts: [String]) -> String {
        parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    /// One line for an option: its name and the start of its description in the reference.
    private static func line(_ name: String, _ entry: String) -> String {
        let words = entry.split(whereSeparator: \.isWhitespace).drop { $0.hasPrefix("-") || $0.hasPrefix("<") }
        let column = "  --\(name)"
        let padded = column + String(repeating: " ", count: max(2, nameWidth - column.count))
        var text = words.joined(separator: " ")
        // keep the first sentence, up to the first opening parenthesis
        if let end = text.firstRange(of: ". ") { text = String(text[..<end.lowerBound]) }
        if let bracket = text.firstRange(of: " (") { text = String(text[..<bracket.lowerBound]) }
        text = shortened(text, to: width - padded.count)
        return padded + (text.hasSuffix(".") ? String(text.dropLast()) : text)
    }

    /// Shortens a text to a number of columns, at the end of a word.
    private static func shortened(_ text: String, to columns: Int) -> String {
        guard text.count > columns else { return text }
        let beginning = text.prefix(columns - 1)
        let cut = beginning.lastIndex(of: " ").map { beginning[..<$0] } ?? beginning
        return String(cut).trimmingSuffix { ",;:".contains($0) } + "…"
    }

    private struct Section {
        var title: String
        var lines: [String]

        /// Splits a help text into sections. A section starts with a line `TITLE:` or `TITLE: text`.
        static func sections(of help: String) -> [Section] {
            var sections: [Section] = []
            for line in help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
                if let colon = line.firstIndex(of: ":"), line[..<colon].allSatisfy({ $0.isUppercase || " ',-".contains($0) }),
                    line.first != " "
                {
                    let rest = line[line.index(after: colon)...].drop { $0 == " " }
                    sections.append(Section(title: String(line[..<colon]), lines: rest.isEmpty ? [] : [String(rest)]))
                } else if !sections.isEmpty {
                    sections[sections.count - 1].lines.append(line)
                }
            }
            for index in sections.indices {
                while sections[index].lines.last?.isEmpty ?? false { sections[index].lines.removeLast() }
            }
            return sections
        }

        /// The lines that describe an option, or nil if it is not in this section.
        func entry(_ name: String) -> String? {
            guard let start = lines.firstIndex(where: { $0.hasPrefix("  --\(name) ") || $0 == "  --\(name)" }) else { return nil }
            let end = lines[(start + 1)...].firstIndex { $0.hasPrefix("  -") || $0.isEmpty } ?? lines.endIndex
            return lines[start..<end].joined(separator: "\n")
        }
    }
}

extension String {
    /// The text without the trailing characters that satisfy a condition.
    fileprivate func trimmingSuffix(while condition: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, condition(last) { rest.removeLast() }
        return String(rest)
    }
}
