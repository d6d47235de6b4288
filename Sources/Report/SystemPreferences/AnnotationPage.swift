package import Eval
import Formats
import Foundation
import Runs
import Study

/// A page on which a person answers tasks, with no other program: it shows one task after the other, keeps the answers in the browser and
/// hands them out as the file that `--preference-answers` reads.
///
/// The page holds the texts alone. Whose they are, and which tasks are attention checks, is in the file of tasks only.
package struct AnnotationPage {
    /// What the page is called.
    package static let defaultTitle = "Comparing answers"

    /// What is shown of a pair.
    private struct Pair: Encodable {
        var id: String
        var input: String
        var left: String
        var right: String
    }

    /// What is shown of a ranking.
    private struct Ranking: Encodable {
        var id: String
        var input: String
        var texts: [String]
    }

    /// What the script reads.
    private struct Content<Task: Encodable>: Encodable {
        var form: String
        var checksum: String
        var tasks: [Task]
    }

    let title: String
    let instructions: HTML
    let json: String
    let isRanking: Bool

    /// A page of pairs.
    /// - Parameter instructions: plain text as in ``markup(ofInstructions:)``; nil for those of this program.
    /// - Throws: `InvalidSetting` without tasks, and for two tasks of one id.
    package init(_ tasks: [PairwiseTask], title: String? = nil, instructions: String? = nil) throws {
        let shown = tasks.map { Pair(id: $0.id, input: $0.input, left: $0.left, right: $0.right) }
        try self.init(shown, ids: tasks.map(\.id), isRanking: false, title, instructions ?? Self.instructionsForPairs)
    }

    /// A page of rankings.
    /// - Parameter instructions: plain text as in ``markup(ofInstructions:)``; nil for those of this program.
    /// - Throws: `InvalidSetting` without tasks, and for two tasks of one id.
    package init(_ tasks: [RankingTask], title: String? = nil, instructions: String? = nil) throws {
        let shown = tasks.map { Ranking(id: $0.id, input: $0.input, texts: $0.texts) }
        try self.init(shown, ids: tasks.map(\.id), isRanking: true, title, instructions ?? Self.instructionsForRankings)
    }

    private init<Task: Encodable>(_ tasks: [Task], ids: [String], isRanking: Bool, _ title: String?, _ instructions: String) throws {
        guard !tasks.isEmpty else { throw InvalidSetting("--page has no tasks to show: the file of --preference-tasks is empty") }
        var known: Set<String> = []
        if let twice = ids.first(where: { !known.insert($0).inserted }) {
            throw InvalidSetting("--preference-tasks has two tasks '\(twice)'; give every task an id of its own")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // answers that a browser keeps belong to these tasks and no others
        var checksum = CRC64()
        checksum.update(Array(try encoder.encode(tasks)))
        let content = Content(form: isRanking ? "ranking" : "pairwise", checksum: checksum.digits, tasks: tasks)
        json = String(decoding: try encoder.encode(content), as: UTF8.self)
        self.title = title ?? Self.defaultTitle
        self.instructions = Self.markup(ofInstructions: instructions)
        self.isRanking = isRanking
    }

    /// Plain text as markup: empty lines part paragraphs, and lines that begin with "- " are a list. Everything else is shown as it is.
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
        You see a prompt and two answers to it, A and B, one task after the other. Say which answer is better, and by how much.

        - Read the prompt and both answers before you choose.
        - The middle, 0, says that neither is better.
        - Now and then a task may ask for a certain position: choose the one that it names.
        - You can go back and change what you chose. Answers are kept in this browser until you download them.
        """

    private static let instructionsForRankings = """
        You see a prompt and several answers to it, one task after the other. Give each answer a rank, 1 for the best.

        - Read the prompt and all answers before you choose.
        - Answers that are equally good may have the same rank.
        - You can go back and change what you chose. Answers are kept in this browser until you download them.
        """
}
