import Foundation

/// What the two texts are called in a question to a judge, and how its answer is read.
///
/// An answer counts when its last line, or the first of several, is nothing but a label, `tie`, or a list of both labels; when its last
/// line is such a verdict behind `answer:`, `verdict:`, `winner:` or a like word; and when its last line is a plain statement: that a label is
/// better, that the better one is a label, or that it is chosen, with a reason behind `because`, perhaps. A statement is plain when it has
/// no other words than those that such a statement needs: whoever doubts, denies or asks uses others. Two verdicts in one answer are none.
/// Everything else is prose, in which the label that is mentioned may as well be the worse one.
public struct JudgeLabels: Sendable, Hashable, Codable {
    /// The text shown first.
    public let first: String
    /// The text shown second.
    public let second: String

    /// Of the built-in questions whose answers are read.
    public static let names = JudgeLabels(trusted: JudgePrompt.names[0], JudgePrompt.names[1])
    /// Of the built-in questions whose answer is one token.
    public static let letters = JudgeLabels(trusted: "A", "B")

    private init(trusted first: String, _ second: String) {
        self.first = first
        self.second = second
    }

    /// Two labels.
    /// - Throws: ``Problem``.
    public init(_ first: String, _ second: String) throws(Problem) {
        for label in [first, second] {
            guard !label.isEmpty, label.count <= 64, label.unicodeScalars.allSatisfy(Self.isPart) else { throw .unfit(label) }
            guard label.lowercased() != "tie" else { throw .unfit(label) }
        }
        guard first.lowercased() != second.lowercased() else { throw .equal(first) }
        self.init(trusted: first, second)
    }

    /// Why two texts can be no labels.
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// Not a word of letters, digits, `_` and `-`.
        case unfit(String)
        /// Both are the same.
        case equal(String)

        public var description: String {
            switch self {
            case .unfit(let label): "'\(label)' can be no label: a label is one word of letters, digits, _ and -, and not 'tie'"
            case .equal(let label): "both labels are '\(label)', with any letters small; an answer could not be told"
            }
        }
    }

    /// The verdict of an answer; nil for prose.
    /// - Parameter isCut: whether the answer ended at its greatest length: then only a label, or a list that begins with one, is taken.
    public func preference(in answer: String, isCut: Bool = false) -> Preference? {
        let text = Self.withoutThoughts(answer)
        if isCut {
            let words = Self.words(of: text)
            if words.count <= 2, let whole = list(text) { return whole }
            // a list whose end is missing
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

    /// A label, `tie`, or both labels, the better one first.
    private func list(_ text: some StringProtocol) -> Preference? {
        guard !text.contains(where: { "?？".contains($0) }) else { return nil }
        let words = Self.words(of: String(text))
        switch words.count {
        case 1: return word(words[0])
        case 2 where isLabel(words[0]) && isLabel(words[1]) && word(words[0]) != word(words[1]):
            // other signs than commas and `>` between them may mean anything
            return text.contains { "<=≤≥≈~/&+|".contains($0) } ? nil : word(words[0])
        default: return nil
        }
    }

    /// The verdict of a line whose sentences are all plain and say the same.
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

    /// Whether lines behind a verdict take it back.
    private func takesBack(_ lines: ArraySlice<String>) -> Bool {
        lines.contains { line in Self.words(of: line).contains { Self.retractions.contains($0.lowercased()) } }
    }

    /// `Answer: label`, or `Answer: label is better`.
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

    /// A sentence without its reason, and the words of that.
    private static func withoutReason(_ sentence: String) -> (head: String, reason: [String]) {
        let marks = [", for ", ", as ", ", since ", ", because ", " because "].compactMap { sentence.firstRange(of: $0) }
        guard let mark = marks.min(by: { $0.lowerBound < $1.lowerBound }) else { return (sentence, []) }
        return (String(sentence[..<mark.lowerBound]), words(of: String(sentence[mark.upperBound...])).map { $0.lowercased() })
    }

    /// `label is better`, `the better one is label` or `I prefer label`, with nothing around that may change it.
    private func statement(_ sentence: String) -> Preference? {
        let (head, reason) = Self.withoutReason(sentence)
        guard !reason.contains(where: Self.isDoubt) else { return nil }
        var words = Self.words(of: head)
        // than, over or to the other label
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
            // `the better one is`, `I prefer`
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

    /// What a word names. Labels of one letter are told by their case, for "a" is a word of its own.
    private func word(_ text: String) -> Preference? {
        func matches(_ label: String) -> Bool { label.count == 1 ? text == label : text.lowercased() == label.lowercased() }
        if matches(first) { return .first }
        if matches(second) { return .second }
        return text.lowercased() == "tie" ? .tie : nil
    }

    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" || scalar == "-"
    }

    /// Runs of letters, digits, `_`, `-` and apostrophes; Markdown's stars and quotation marks fall away.
    private static func words(of text: String) -> [String] {
        text.unicodeScalars.split { !isPart($0) && $0 != "'" && $0 != "’" }.map { word in
            String(String.UnicodeScalarView(word)).replacing("’", with: "'").trimmingCharacters(in: CharacterSet(charactersIn: "'_-"))
        }.filter { !$0.isEmpty }
    }

    /// What stands behind the thoughts of a model that writes them down, without white space and fences around.
    private static func withoutThoughts(_ text: String) -> String {
        let end = text.range(of: "</think>", options: .backwards)
        // thoughts that do not end say nothing yet
        if end == nil, text.contains("<think>") { return "" }
        let rest = end.map { String(text[$0.upperBound...]) } ?? text
        return rest.trimmingCharacters(in: .whitespacesAndNewlines.union(CharacterSet(charactersIn: "`")))
    }
}
