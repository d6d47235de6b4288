import Formats

/// Dialogues stored as one text: `\n\nHuman: …\n\nAssistant: …`.
enum Dialogue {
    static let question = "\n\nHuman:"
    static let answer = "\n\nAssistant:"

    /// Whether a row has two dialogues and no separate prompt.
    @Sendable static func holdsTwo(_ record: Record) throws -> Bool {
        guard try !record.has("prompt") else { return false }
        return ["chosen", "rejected"].allSatisfy { column in
            guard let text = try? record.text(column) else { return false }
            return text.hasPrefix(question) || text.hasPrefix("Human:")
        }
    }

    /// Splits two dialogues after the last `Assistant:` of their common prefix, and returns that prefix and the rest of
    /// each.
    /// - Throws: `RowProblem` if there is no `Assistant:` in the common prefix.
    static func parted(_ record: Record) throws -> (prompt: String, chosen: String, rejected: String) {
        let (chosen, rejected) = (try record.text("chosen"), try record.text("rejected"))
        let sides = [Array(chosen.utf8), Array(rejected.utf8)]
        let shared = sides[0][..<zip(sides[0], sides[1]).prefix { $0 == $1 }.count]
        let mark = Array(answer.utf8)
        guard let start = stride(from: shared.count - mark.count, through: 0, by: -1).first(where: { shared[$0...].starts(with: mark) })
        else {
            throw RowProblem.unfit(
                "\"chosen\" and \"rejected\" have no \"Assistant:\" in a common beginning; expected dialogues that differ in an answer"
            )
        }
        let end = start + mark.count
        func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
        return (text(sides[0][..<end]), text(sides[0][end...]), text(sides[1][end...]))
    }

    /// The turns of a dialogue as messages, with surrounding white space removed. An empty answer at the end is
    /// omitted.
    /// - Throws: `RowProblem` if the text does not begin with a turn.
    static func messages(_ text: String, column: String) throws -> [JSONValue] {
        let text = text.hasPrefix("Human:") ? "\n\n" + text : text
        var messages: [JSONValue] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            guard let turn = [(question, "user"), (answer, "assistant")].first(where: { rest.hasPrefix($0.0) }) else {
                throw RowProblem.unfit("\"\(column)\" does not begin with a turn \"Human:\" or \"Assistant:\"")
            }
            rest = rest.dropFirst(turn.0.count)
            let end = [question, answer].compactMap { rest.firstRange(of: $0)?.lowerBound }.min() ?? rest.endIndex
            let content = trimmed(rest[..<end])
            rest = rest[end...]
            if rest.isEmpty, content.isEmpty, turn.1 == "assistant" { break }
            messages.append(["role": .string(turn.1), "content": .string(content)])
        }
        return messages
    }

    /// The text without white space at either end.
    private static func trimmed(_ text: Substring) -> String {
        var scalars = text.unicodeScalars
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}
