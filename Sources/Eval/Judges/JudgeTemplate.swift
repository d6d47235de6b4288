import Formats
public import Foundation

/// A template for the question to a judge, with placeholders for the input, both texts and their labels.
///
/// The placeholders are `{input}`, `{first}`, `{second}`, `{label_1}` and `{label_2}`. `{{name}}` stands for the literal text
/// `{name}`; other braces are literal. Placeholders are located once, before any is filled in, so the inserted texts cannot add
/// placeholders.
public struct JudgeTemplate: Sendable, Equatable {
    /// The placeholders.
    public enum Place: String, Sendable, CaseIterable {
        /// The prompt that both texts respond to.
        case input
        /// The text shown first.
        case first
        /// The text shown second.
        case second
        /// The label of the first text.
        case label1 = "label_1"
        /// The label of the second text.
        case label2 = "label_2"
    }

    private enum Part: Sendable, Equatable {
        case text(String)
        case place(Place)
    }

    private let parts: [Part]

    /// Parses a template.
    /// - Throws: ``Problem`` for an unknown placeholder, or if `{input}`, `{first}` or `{second}` is missing.
    public init(_ text: String) throws(Problem) {
        let scalars = Array(text.unicodeScalars)
        var parts: [Part] = []
        var plain = String.UnicodeScalarView()
        var position = 0
        func name(at start: Int) -> (name: String, end: Int)? {
            var end = start
            while end < scalars.count, Self.isName(scalars[end]) { end += 1 }
            guard end > start, end < scalars.count, scalars[end] == "}" else { return nil }
            return (String(String.UnicodeScalarView(scalars[start..<end])), end + 1)
        }
        while position < scalars.count {
            if scalars[position] == "{", position + 1 < scalars.count {
                if scalars[position + 1] == "{", let (name, end) = name(at: position + 2), end < scalars.count, scalars[end] == "}" {
                    plain.append(contentsOf: "{\(name)}".unicodeScalars)
                    position = end + 1
                    continue
                }
                if let (name, end) = name(at: position + 1) {
                    guard let place = Place(rawValue: name) else { throw .unknown(name) }
                    if !plain.isEmpty { parts.append(.text(String(plain))) }
                    plain = .init()
                    parts.append(.place(place))
                    position = end
                    continue
                }
            }
            plain.append(scalars[position])
            position += 1
        }
        if !plain.isEmpty { parts.append(.text(String(plain))) }
        for place in [Place.input, .first, .second] where !parts.contains(.place(place)) { throw .missing(place) }
        self.parts = parts
    }

    /// Reads a template from a UTF-8 file of at most 1 MiB.
    /// - Throws: ``Problem``; `FileError`.
    public init(contentsOf file: URL) throws {
        let bytes = try Descriptor.content(of: file.path, limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Problem.notUTF8 }
        try self.init(text)
    }

    private static func isName(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
    }

    /// Fills in the template for a question.
    public func text(for question: PairwiseQuestion, labels: JudgeLabels) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .place(.input): JudgePrompt.trimmed(question.input)
            case .place(.first): JudgePrompt.trimmed(question.first)
            case .place(.second): JudgePrompt.trimmed(question.second)
            case .place(.label1): labels.first
            case .place(.label2): labels.second
            }
        }.joined()
    }

    /// What is wrong with a template.
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// A placeholder that does not exist.
        case unknown(String)
        /// A required placeholder is missing.
        case missing(Place)
        /// The file is not UTF-8 text.
        case notUTF8

        /// One line that says what is wrong with the template.
        public var description: String {
            let places = Place.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
            return switch self {
            case .unknown(let name):
                "the template has the unknown placeholder {\(name)}; use \(places), or {{\(name)}} for literal braces"
            case .missing(let place): "the template has no {\(place.rawValue)}; it must have {input}, {first} and {second}"
            case .notUTF8: "the template is not UTF-8; convert it, for example with iconv"
            }
        }
    }
}
