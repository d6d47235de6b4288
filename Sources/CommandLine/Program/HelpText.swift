/// Arranges the help text of a program.
///
/// The text starts with an overview: the abstract, usage, examples and one line for each of the most used options. The reference
/// of all options by group follows. The argument parser writes the reference; this type puts the parts in order, and wraps what
/// the parser does not.
enum HelpText {
    /// The maximum width of an option's name in the line of a most used option, in columns.
    private static let nameWidth = 33
    /// The least width of the description to the right of the name. If there is less room, the description has a separate line.
    private static let leastText = 20

    /// Reorders and wraps a help text.
    /// - Parameters:
    ///   - width: the width of the terminal in columns.
    ///   - essentials: the names of the most used options, in kebab-case.
    ///   - spellings: a paragraph on how options can be written; empty to omit it.
    ///   - isShort: whether to return only the overview, without the reference.
    ///   - help: returns the help text from the argument parser, for a number of columns.
    static func arranged(
        to width: Int, essentials: [String], spellings: String = "", isShort: Bool = false, _ help: (_ columns: Int) -> String
    ) -> String {
        // the parser would break the lines of commands, so the overview is taken from a text without its line breaks
        let unbroken = help(HelpLines.widths.upperBound)
        var sections = Section.sections(of: unbroken)
        guard let overview = sections.firstIndex(where: { $0.title == "OVERVIEW" }) else { return unbroken }
        let about = sections.remove(at: overview)
        guard let usage = sections.firstIndex(where: { $0.title == "USAGE" }) else { return unbroken }
        let use = sections.remove(at: usage)
        // the abstract ends at the first empty line
        let end = about.lines.firstIndex(of: "") ?? about.lines.endIndex
        let abstract = about.lines[..<end].joined(separator: "\n")
        let discussion = about.lines[end...].drop { $0.isEmpty }
        let label = "USAGE: "
        var parts = [
            HelpLines.overview(abstract, to: width), label + HelpLines.usage(use.lines, label: label.count, to: width),
            HelpLines.overview(discussion.joined(separator: "\n"), to: width),
        ]
        let chosen = essentials.compactMap { name in
            sections.lazy.compactMap { $0.entry(name) }.first.map { line(name, $0, width: min(width, HelpLines.written)) }
        }
        if !chosen.isEmpty {
            let rest = isShort ? "--help describes all options" : "all options with their defaults are described below"
            parts.append(HelpLines.overview("MOST USED OPTIONS (\(rest)):", to: width) + "\n" + chosen.joined(separator: "\n"))
        }
        guard !isShort else { return joined(parts) }
        parts.append(HelpLines.overview(spellings, to: width))
        let reference = Section.sections(of: help(width)).filter {
            !["OVERVIEW", "USAGE"].contains($0.title) && !$0.lines.allSatisfy(\.isEmpty)
        }
        parts += reference.map { section in
            "\(section.title):\n" + section.lines.flatMap { HelpLines.reference($0, to: width) }.joined(separator: "\n")
        }
        return joined(parts)
    }

    private static func joined(_ parts: [String]) -> String {
        parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    /// One line for an option: its name and the start of its description in the reference. Two lines in a narrow terminal.
    private static func line(_ name: String, _ entry: String, width: Int) -> String {
        let words = entry.split(whereSeparator: \.isWhitespace).drop { $0.hasPrefix("-") || $0.hasPrefix("<") }
        let column = "  --\(name)"
        var padded = column + String(repeating: " ", count: max(2, nameWidth - column.count))
        if width - padded.count < leastText { padded = "      " }
        var text = words.joined(separator: " ")
        // keep the first sentence, up to the first opening parenthesis
        if let end = text.firstRange(of: ". ") { text = String(text[..<end.lowerBound]) }
        if let bracket = text.firstRange(of: " (") { text = String(text[..<bracket.lowerBound]) }
        text = shortened(text, to: width - padded.count)
        let line = padded + (text.hasSuffix(".") ? String(text.dropLast()) : text)
        return line.hasPrefix(column) ? line : column + "\n" + line
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
