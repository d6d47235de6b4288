import Foundation

/// The labels of the two texts in a question to a judge, and the rules for parsing a verdict from its answer.
///
/// A verdict is recognised in three forms: the last line, or the first of several, is only a label, `tie`, or a list of both
/// labels; the last line is such a verdict after `answer:`, `verdict:`, `winner:` or a similar word; or the last line is a
/// plain statement that a label is better, that the better one is a label, or that a label is chosen, with an optional reason
/// after `because`. A statement is plain if it contains only words that such a statement needs; doubts, negations and questions
/// contain others. An answer with contradictory verdicts has none. Everything else is treated as prose, since the label that it
/// mentions may be the worse one.
public struct JudgeLabels: Sendable, Hashable, Codable {
    /// The label of the text shown first.
    public let first: String
    /// The label of the text shown second.
    public let second: String

    /// The labels of built-in questions whose answers are parsed as text.
    public static let names = JudgeLabels(trusted: JudgePrompt.names[0], JudgePrompt.names[1])
    /// The labels of built-in questions whose answer is a single token.
    public static let letters = JudgeLabels(trusted: "A", "B")

    private init(trusted first: String, _ second: String) {
        self.first = first
        self.second = second
    }

    /// Creates labels. Each is a single word of at most 64 characters, not `tie`, and the two differ in more than case.
    /// - Throws: ``Problem`` if the labels do not meet these conditions.
    public init(_ first: String, _ second: String) throws(Problem) {
        for label in [first, second] {
            guard !label.isEmpty, label.count <= 64, label.unicodeScalars.allSatisfy(Self.isPart) else { throw .unfit(label) }
            guard label.lowercased() != "tie" else { throw .unfit(label) }
        }
        guard first.lowercased() != second.lowercased() else { throw .equal(first) }
        self.init(trusted: first, second)
    }

    /// Why two strings cannot be used as labels.
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// The label is not a word of letters, digits, `_` and `-`, is too long, or is `tie`.
        case unfit(String)
        /// Both labels are equal, ignoring case.
        case equal(String)

        /// One line that says why the labels are rejected.
        public var description: String {
            switch self {
            case .unfit(let label): "'\(label)' is not a valid label; use one word of letters, digits, _ and -, other than 'tie'"
            case .equal(let label): "both labels are '\(label)', ignoring case; use two different labels"
            }
        }
    }

    /// Parses the verdict of an answer; nil if there is none.
    /// - Parameters:
    ///   - answer: the text of the answer.
    ///   - isCut: whether the answer was truncated at its maximum length; then only a label, or a list that begins with one, is
    ///     accepted.
    public func preference(in answer: String, isCut: Bool = false) -> Preference? {
        let text = Self.withoutThoughts(answer)
        if isCut {
            let words = Self.words(of: text)
            if words.count <= 2, let whole = list(text) { return whole }
            // a list that was truncated
            return text.first == "[" && words.first.map(isLabel) == true ? words.first.flatMap(word) : nil
        }
        if let whole = list(text) { return whole }
        let lines = text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
        guard let first = lines.first, let last = lines.last else { return nil }
        let opening = list(first).flatMap { takesBack(lines.dropFirst()) ? nil : $0 }
        guard let verdict = plain(last) ?? opening else { return nil }
        return lines.compactMap(plain).allSatisfy { $0 == verdict } ? verdict : nil
    }

    // MARK: Forms of answers

    /// Parses a label, `tie`, or both labels with the better one first.
    private func list(_ text: some StringProtocol) -> Preference? {
        guard !text.contains(where: { "?？".contains($0) }) else { return nil }
        let words = Self.words(of: String(text))
        switch words.count {
        case 1: return word(words[0])
        case 2 where isLabel(words[0]) && isLabel(words[1]) && word(words[0]) != word(words[1]):
            // other characters than commas and `>` between the labels are ambiguous
            return text.contains { "<=≤≥≈~/&+|".contains($0) } ? nil : word(words[0])
        default: return nil
        }
    }

    /// The verdict of a line whose sentences are all plain and agree.
    private func plain(_ line: String) -> Preference? {
        guard !line.contains(where: { "?？".contains($0) }) else { return nil }
        if let verdict = list(line) ?? conclusion(line) { return verdict }
        let sentences = line.split { ".!;".contains($0) }.filter { !Self.words(of: String($0)).isEmpty }
        let verdicts = sentences.map { list($0) ?? statement(String($0)) }
        guard let first = verdicts.first, verdicts.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    private static let conclusions: Set = [
        "answer", "verdict", "winner", "choice", "preference", "decision", "judgement", "judgment", "result", "conclusion",
    ]
    private static let praise: Set = ["better", "best", "preferred", "preferable", "superior", "stronger"]
    private static let nouns: Set = [
        "one", "text", "summary", "answer", "response", "output", "model", "assistant", "system", "of", "two", "both",
    ]
    private static let fillers: Set = ["the", "a", "my", "final", "clearly", "overall", "slightly", "much"]
    private static let openings: Set = [
        "i", "think", "believe", "find", "that", "overall", "therefore", "thus", "hence", "so", "in", "my", "opinion", "view", "conclusion",
        "clearly",
    ]
    private static let choices: Set = ["prefer", "choose", "pick", "select"]
    private static let doubts: Set = [
        "not", "no", "neither", "nor", "never", "if", "unless", "nobody", "none", "nothing", "hardly", "cannot", "without", "though",
        "although", "but", "however",
    ]
    private static let retractions: Set = [
        "wait", "actually", "correction", "sorry", "rather", "neither", "instead", "unsure", "mistake", "mistaken", "nobody", "cannot",
    ]

    private static func isDoubt(_ word: String) -> Bool { doubts.contains(word) || word.hasSuffix("n't") }

    /// Whether lines after a verdict retract it.
    private func takesBack(_ lines: ArraySlice<String>) -> Bool {
        lines.contains { line in Self.words(of: line).contains { Self.retractions.contains($0.lowercased()) } }
    }

    /// Parses `Answer: label` and `Answer: label is better`.
    private func conclusion(_ line: String) -> Preference? {
        guard let mark = line.lastIndex(of: ":") else { return nil }
        let before = Self.words(of: String(line[..<mark])).map { $0.lowercased() }
        let known = [Self.conclusions, Self.praise, Self.nouns, Self.fillers, Self.openings, ["is"]]
        guard (1...6).contains(before.count), before.allSatisfy({ word in known.contains { $0.contains(word) } }),
            before.contains(where: { Self.conclusions.contains($0) || Self.praise.contains($0) })
        else { return nil }
        let rest = line[line.index(after: mark)...]
        let (head, reason) = Self.withoutReason(String(rest))
        guard !reason.contains(where: Self.isDoubt) else { return nil }
        return list(head) ?? statement(String(rest))
    }

    /// Splits a sentence into the part before its reason and the lower-cased words of the reason.
    private static func withoutReason(_ sentence: String) -> (head: String, reason: [String]) {
        let marks = [", for ", ", as ", ", since ", ", because ", " because "].compactMap { sentence.firstRange(of: $0) }
        guard let mark = marks.min(by: { $0.lowerBound < $1.lowerBound }) else { return (sentence, []) }
        return (String(sentence[..<mark.lowerBound]), words(of: String(sentence[mark.upperBound...])).map { $0.lowercased() })
    }

    /// Parses `label is better`, `the better one is label` and `I prefer label`, without other words that might change the
    /// meaning.
    private func statement(_ sentence: String) -> Preference? {
        let (head, reason) = Self.withoutReason(sentence)
        guard !reason.contains(where: Self.isDoubt) else { return nil }
        var words = Self.words(of: head)
        // "than", "over" or "to" the other label
        if let place = words.lastIndex(where: { ["than", "over", "to"].contains($0.lowercased()) }) {
            let others = words[(place + 1)...].filter { isLabel($0) || !Self.isDescription($0) }
            guard others.count == 1, isLabel(others[0]) else { return nil }
            let kept = Array(words[..<place])
            guard !kept.contains(where: { word($0) == word(others[0]) }) else { return nil }
            words = kept
        }
        let places = words.indices.filter { isLabel(words[$0]) }
        guard places.count == 1, let place = places.first else { return nil }
        let before = words[..<place].map { $0.lowercased() }
        let behind = words[(place + 1)...].map { $0.lowercased() }
        let verdict = word(words[place])
        if behind.isEmpty {
            if before.isEmpty { return verdict }
            // "the better one is" or "I prefer"
            let verbs = before.indices.filter { before[$0] == "is" || Self.choices.contains(before[$0]) }
            guard verbs.count == 1, let verb = verbs.first, before[(verb + 1)...].allSatisfy(Self.isDescription) else { return nil }
            let subject = before[..<verb]
            if before[verb] != "is" { return subject.contains("i") && subject.allSatisfy(Self.openings.contains) ? verdict : nil }
            let isNamed = subject.contains { Self.praise.contains($0) || Self.conclusions.contains($0) }
            let isKnown = subject.allSatisfy {
                Self.praise.contains($0) || Self.conclusions.contains($0) || Self.openings.contains($0) || Self.isDescription($0)
            }
            return isNamed && isKnown ? verdict : nil
        }
        guard before.allSatisfy({ Self.openings.contains($0) || Self.isDescription($0) }) else { return nil }
        if behind == ["wins"] { return verdict }
        guard behind.first == "is" else { return nil }
        let said = behind.dropFirst()
        let isPraised = said.count { Self.praise.contains($0) } == 1
        return isPraised && said.allSatisfy { Self.praise.contains($0) || Self.isDescription($0) } ? verdict : nil
    }

    private static func isDescription(_ word: String) -> Bool {
        let word = word.lowercased()
        return nouns.contains(word) || fillers.contains(word)
    }

    // MARK: Words

    private func isLabel(_ text: String) -> Bool { word(text).map { $0 != .tie } ?? false }

    /// The preference that a word names; nil for other words. One-letter labels are case-sensitive, since "a" is also an
    /// ordinary word.
    private func word(_ text: String) -> Preference? {
        func matches(_ label: String) -> Bool { label.count == 1 ? text == label : text.lowercased() == label.lowercased() }
        if matches(first) { return .first }
        if matches(second) { return .second }
        return text.lowercased() == "tie" ? .tie : nil
    }

    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" || scalar == "-"
    }

    /// Splits a text into runs of letters, digits, `_`, `-` and apostrophes; Markdown asterisks and quotation marks are
    /// dropped.
    private static func words(of text: String) -> [String] {
        text.unicodeScalars.split { !isPart($0) && $0 != "'" && $0 != "’" }.map { word in
            String(String.UnicodeScalarView(word)).replacing("’", with: "'").trimmingCharacters(in: CharacterSet(charactersIn: "'_-"))
        }.filter { !$0.isEmpty }
    }

    /// The text after a model's `<think>` section, trimmed of white space and code fences.
    private static func withoutThoughts(_ text: String) -> String {
        let end = text.range(of: "</think>", options: .backwards)
        // an unfinished `<think>` section contains no verdict
        if end == nil, text.contains("<think>") { return "" }
        let rest = end.map { String(text[$0.upperBound...]) } ?? text
        return rest.trimmingCharacters(in: .whitespacesAndNewlines.union(CharacterSet(charactersIn: "`")))
    }
}
