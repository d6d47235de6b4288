internal import Foundation
internal import Runs

/// Wraps the lines of help texts to the width of the terminal.
enum HelpLines {
    /// The widths of terminals for which help is wrapped. Text for a narrower terminal has the least of them.
    static let widths = 40...10_000
    /// The width for which the overviews of the programs are written.
    static let written = 80

    /// The width of the terminal: that of the variable COLUMNS, else that of standard output, else 80; at least 40.
    static func terminalWidth(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Int {
        let columns = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        return min(max(columns ?? Terminal.width(of: STDOUT_FILENO) ?? written, widths.lowerBound), widths.upperBound)
    }

    /// Wraps an overview: paragraphs, and commands, which are indented. A command continues with a backslash in an indented line,
    /// so that it can still be pasted.
    static func overview(_ text: String, to width: Int) -> String {
        var lines: [String] = []
        var paragraph: [String] = []
        func endParagraph() {
            // a paragraph with a line that is too long loses its line breaks in a terminal that is narrower than it was written for
            let isTooWide = paragraph.contains { $0.count > width }
            let parts = isTooWide && width < written ? [paragraph.joined(separator: " ")] : paragraph
            lines += parts.flatMap { $0.count > width ? fill(words(of: $0), width: width) : [$0] }
            paragraph = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.isEmpty || line.hasPrefix(" ") {
                endParagraph()
                lines += line.isEmpty ? [""] : command(line, to: width)
            } else {
                paragraph.append(line)
            }
        }
        endParagraph()
        return lines.joined(separator: "\n")
    }

    /// Wraps the lines of a synopsis, whose first line follows a label.
    /// - Parameter label: the width of the label, to which further lines are indented.
    static func usage(_ lines: [String], label: Int, to width: Int) -> String {
        let margin = String(repeating: " ", count: label)
        let filled = lines.map { $0.drop { $0 == " " } }.flatMap { line in
            fill(units(of: String(line), to: width - label - 4), width: width - label, indent: 4)
        }
        return filled.joined(separator: "\n" + margin)
    }

    /// Wraps a line of the reference of options: an option's name, or a part of its description.
    static func reference(_ line: String, to width: Int) -> [String] {
        guard line.count > width else { return [line] }
        let own = line.prefix { $0 == " " }.count
        let words = words(of: line)
        let isName = line.dropFirst(own).hasPrefix("-")
        // a description with a word that does not fit begins further to the left
        let start = isName ? own : min(own, max(2, width - (words.map(\.count).max() ?? 0)))
        return fill(words, width: width, start: start, indent: isName ? own + 4 : start)
    }

    /// A command of which every line but the last ends with a backslash.
    private static func command(_ line: String, to width: Int) -> [String] {
        guard line.count > width else { return [line] }
        let own = line.prefix { $0 == " " }.count
        var units = units(of: line, to: width - max(4, own) - 2)
        let continues = units.last == "\\"
        if continues { units.removeLast() }
        let lines = fill(units, width: width - 2, start: own, indent: max(4, own))
        return lines.enumerated().map { number, part in number < lines.count - 1 || continues ? part + " \\" : part }
    }

    /// Lines of at most `width` columns from parts that are separated by spaces. A part that is longer has a line to itself.
    /// - Parameters:
    ///   - start: the indentation of the first line.
    ///   - indent: the indentation of the other lines.
    private static func fill(_ parts: [String], width: Int, start: Int = 0, indent: Int = 0) -> [String] {
        guard let first = parts.first else { return [""] }
        var lines: [String] = []
        var line = String(repeating: " ", count: start) + first
        for (number, part) in parts.enumerated().dropFirst() {
            // as in the parser's own text, the last column is used only at the end
            let room = number == parts.count - 1 ? width : width - 1
            if line.count + 1 + part.count <= room {
                line += " " + part
            } else {
                lines.append(line)
                line = String(repeating: " ", count: indent) + part
            }
        }
        return lines + [line]
    }

    private static func words(of line: String) -> [String] { line.split(separator: " ").map(String.init) }

    /// The parts of a command or synopsis that stay in one line: words, quoted texts, texts in brackets, and options with their value
    /// if both have at most `room` columns.
    private static func units(of line: String, to room: Int) -> [String] {
        var units: [String] = []
        for word in words(of: line) {
            guard let last = units.last else {
                units.append(word)
                continue
            }
            let isOpen = !last.count { $0 == "\"" }.isMultiple(of: 2) || last.count { $0 == "[" } > last.count { $0 == "]" }
            let isValue =
                last.hasPrefix("--") && !last.contains(" ") && last.count + 1 + word.count <= room
                && !["-", "[", "\\", "|"].contains { word.hasPrefix($0) }
            if isOpen || isValue {
                units[units.count - 1] = last + " " + word
            } else {
                units.append(word)
            }
        }
        return units
    }
}
