package import Eval
import Formats
import Foundation
import Runs
import Study

/// A self-contained web page on which an annotator answers tasks.
///
/// It shows one task at a time, stores the answers in the browser, and saves them as a file that `--preference-answers` reads.
/// The page contains only the texts. The systems that wrote them, and the attention checks, are recorded in the task file.
package struct AnnotationPage {
    /// The default title.
    package static let defaultTitle = "Comparing answers"

    /// The parts of a pairwise task that the page shows.
    private struct Pair: Encodable {
        var id: String
        var input: String
        var left: String
        var right: String
    }

    /// The parts of a ranking task that the page shows.
    private struct Ranking: Encodable {
        var id: String
        var input: String
        var texts: [String]
    }

    /// The data for the script of the page.
    private struct Content<Task: Encodable>: Encodable {
        var form: String
        var checksum: String
        var tasks: [Task]
    }

    let title: String
    let instructions: HTML
    let json: String
    let isRanking: Bool

    /// Creates a page of pairwise tasks.
    /// - Parameters:
    ///   - tasks: the tasks.
    ///   - title: the heading; nil for the default title.
    ///   - instructions: plain text, as in ``markup(ofInstructions:)``; nil for the default instructions.
    /// - Throws: `InvalidSetting` if there are no tasks, or two tasks have the same id.
    package init(_ tasks: [PairwiseTask], title: String? = nil, instructions: String? = nil) throws {
        let shown = tasks.map { Pair(id: $0.id, input: $0.input, left: $0.left, right: $0.right) }
        try self.init(shown, ids: tasks.map(\.id), isRanking: false, title, instructions ?? Self.instructionsForPairs)
    }

    /// Creates a page of ranking tasks.
    /// - Parameters:
    ///   - tasks: the tasks.
    ///   - title: the heading; nil for the default title.
    ///   - instructions: plain text, as in ``markup(ofInstructions:)``; nil for the default instructions.
    /// - Throws: `InvalidSetting` if there are no tasks, or two tasks have the same id.
    package init(_ tasks: [RankingTask], title: String? = nil, instructions: String? = nil) throws {
        let shown = tasks.map { Ranking(id: $0.id, input: $0.input, texts: $0.texts) }
        try self.init(shown, ids: tasks.map(\.id), isRanking: true, title, instructions ?? Self.instructionsForRankings)
    }

    private init<Task: Encodable>(_ tasks: [Task], ids: [String], isRanking: Bool, _ title: String?, _ instructions: String) throws {
        guard !tasks.isEmpty else { throw InvalidSetting("--page has no tasks to show: the file of --preference-tasks is empty") }
        var known: Set<String> = []
        if let twice = ids.first(where: { !known.insert($0).inserted }) {
            throw InvalidSetting("--preference-tasks has two tasks with the id '\(twice)'; give every task a unique id")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // stored answers are found by this checksum, so that they are used only for the same tasks
        var checksum = CRC64()
        checksum.update(Array(try encoder.encode(tasks)))
        let content = Content(form: isRanking ? "ranking" : "pairwise", checksum: checksum.digits, tasks: tasks)
        json = String(decoding: try encoder.encode(content), as: UTF8.self)
        self.title = title ?? Self.defaultTitle
        self.instructions = Self.markup(ofInstructions: instructions)
        self.isRanking = isRanking
    }

    /// Converts plain text to HTML: empty lines separate paragraphs, and lines that begin with "- " form a list. All other
    /// characters are shown unchanged.
    package static func markup(ofInstructions text: String) -> HTML {
        var result = HTML()
        var (paragraph, items): ([String], [String]) = ([], [])
        func end() {
            if !paragraph.isEmpty { result += "<p dir=\"auto\">\(paragraph.joined(separator: "\n"))</p>\n" }
            if !items.isEmpty { result += "<ul>\(items.map { "<li dir=\"auto\">\($0)</li>" as HTML })</ul>\n" }
            (paragraph, items) = ([], [])
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let words = line.trimmingCharacters(in: .whitespaces)
            if words.hasPrefix("- ") {
                if !paragraph.isEmpty { end() }
                items.append(String(words.dropFirst(2)))
            } else if words.isEmpty {
                end()
            } else {
                if !items.isEmpty { end() }
                paragraph.append(words)
            }
        }
        end()
        return result
    }

    private static let instructionsForPairs = """
        Each task shows a prompt and two answers to it, A and B. Choose which answer is better, and by how much.

        - Read the prompt and both answers before you choose.
        - Choose 0, in the middle, if neither is better.
        - Some tasks may ask for a certain position: choose the position that the task names.
        - You can go back and change your choice. Answers are stored in this browser until you download them.
        """

    private static let instructionsForRankings = """
        Each task shows a prompt and several answers to it. Give each answer a rank, 1 for the best.

        - Read the prompt and all answers before you choose.
        - Answers that are equally good may have the same rank.
        - You can go back and change your choice. Answers are stored in this browser until you download them.
        """
}
