import Foundation

/// What the two texts are called in a question to a judge, and how its answer is read.
///
/// An answer counts when it, or its first line, is nothing but a label, `tie`, or a list of both labels; when it ends with such a word behind
/// `answer:`, `verdict:`, `winner:` or a like one; when it has a label in double brackets or both labels in one pair of them; and, without
/// any of these, when it says of exactly one label that it is better, or that the better one is it. Two verdicts in one answer are none.
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
        let words = Self.words(of: text)
        if words.count <= 2, let whole = list(words) { return whole }
        // a list whose end is missing
        if isCut { return text.first == "[" && words.first.map(isLabel) == true ? words.first.flatMap(word) : nil }
        var found = Set(bracketed(text) + lists(in: text) + [conclusion(in: text), opening(of: text)].compactMap { $0 })
        if found.isEmpty { found = Set(statements(words)) }
        return found.count == 1 ? found.first : nil
    }

    // MARK: Forms of answers

    /// A label, `tie`, or both labels, the better one first.
    private func list(_ words: [String]) -> Preference? {
        switch words.count {
        case 1: word(words[0])
        case 2 where isLabel(words[0]) && isLabel(words[1]) && word(words[0]) != word(words[1]): word(words[0])
        default: nil
        }
    }

    /// Every `[[label]]`.
    private func bracketed(_ text: String) -> [Preference] {
        text.split(separator: "[[").dropFirst(text.hasPrefix("[[") ? 0 : 1).compactMap { part in
            part.firstRange(of: "]]").flatMap { end in
                let words = Self.words(of: String(part[..<end.lowerBound]))
                return words.count == 1 ? word(words[0]) : nil
            }
        }
    }

    /// Every `[label, label]`.
    private func lists(in text: String) -> [Preference] {
        text.split(separator: "[").compactMap { part in
            part.firstIndex(of: "]").flatMap { end in
                let words = Self.words(of: String(part[..<end]))
                return words.count == 2 ? list(words) : nil
            }
        }
    }

    /// A first line that is nothing but a verdict.
    private func opening(of text: String) -> Preference? {
        text.split(whereSeparator: \.isNewline).first.flatMap { list(Self.words(of: String($0))) }
    }

    private static let conclusions: Set = [
        "answer", "verdict", "winner", "choice", "preference", "decision", "judgement", "judgment", "result",
    ]
    private static let praise: Set = ["better", "best", "preferred", "preferable", "superior", "wins", "stronger"]
    private static let fillers: Set = [
        "is", "the", "a", "one", "text", "summary", "answer", "response", "output", "clearly", "my", "final",
    ]
    private static let doubts: Set = ["not", "no", "neither", "nor", "isn't", "never", "if", "unless"]

    /// `Answer: label` in the last line.
    private func conclusion(in text: String) -> Preference? {
        guard let line = text.split(whereSeparator: \.isNewline).last(where: { !$0.allSatisfy(\.isWhitespace) }),
            let mark = line.lastIndex(of: ":")
        else { return nil }
        let before = Self.words(of: String(line[..<mark])).map { $0.lowercased() }
        guard before.count <= 4, before.contains(where: Self.conclusions.contains), !before.contains(where: Self.doubts.contains) else {
            return nil
        }
        return list(Self.words(of: String(line[line.index(after: mark)...])))
    }

    /// `label is better`, `the better one is label`: every one that the words have; nothing where a word of doubt stands near.
    private func statements(_ words: [String]) -> [Preference] {
        let small = words.map { $0.lowercased() }
        guard !small.contains(where: Self.doubts.contains) else { return [] }
        return words.indices.compactMap { place in
            guard isLabel(words[place]) else { return nil }
            var next = place + 1
            while next < words.count, Self.fillers.contains(small[next]) { next += 1 }
            if next < words.count, next > place + 1 || small[next] == "wins", Self.praise.contains(small[next]) {
                return word(words[place])
            }
            var before = place - 1
            while before >= 0, Self.fillers.contains(small[before]) { before -= 1 }
            if before >= 0, before < place - 1, Self.praise.contains(small[before]), small[before + 1..<place].contains("is") {
                return word(words[place])
            }
            return nil
        }
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
