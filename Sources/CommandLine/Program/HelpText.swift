/// The help of a program in the order that a newcomer needs: what it does, usage and examples, the options that most people need, and then
/// all others by group. The argument parser writes the text; here its sections change places.
enum HelpText {
    /// - Parameters:
    ///   - help: as the argument parser writes it.
    ///   - essentials: names of the options that come first, in kebab-case.
    static func arranged(_ help: String, essentials: [String]) -> String {
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
        var chosen: [String] = []
        for name in essentials {
            for index in sections.indices {
                guard let entry = sections[index].removeEntry(name) else { continue }
                chosen.append(entry)
                break
            }
        }
        if !chosen.isEmpty { parts.append("MOST USED OPTIONS:\n" + chosen.joined(separator: "\n")) }
        parts += sections.filter { !$0.lines.allSatisfy(\.isEmpty) }.map { "\($0.title):\n" + $0.lines.joined(separator: "\n") }
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private struct Section {
        var title: String
        var lines: [String]

        /// A section begins with a line `TITLE:` or `TITLE: text`.
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

        /// Takes the lines of an option out of the section.
        mutating func removeEntry(_ name: String) -> String? {
            guard let start = lines.firstIndex(where: { $0.hasPrefix("  --\(name) ") || $0 == "  --\(name)" }) else { return nil }
            let end = lines[(start + 1)...].firstIndex { $0.hasPrefix("  -") || $0.isEmpty } ?? lines.endIndex
            let entry = lines[start..<end].joined(separator: "\n")
            lines.removeSubrange(start..<end)
            return entry
        }
    }
}
