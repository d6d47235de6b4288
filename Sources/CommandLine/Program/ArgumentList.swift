public import ArgumentParser

/// A list as the value of one option: `a,b,c` or `[a, b, c]`; `[]` is the empty list.
///
/// White space around elements is removed. Elements that contain a comma are written in a JSON list: `["a,b","c"]`.
public struct ArgumentList<Element: ExpressibleByArgument>: ExpressibleByArgument {
    /// The elements.
    public var values: [Element]

    /// Creates a list of elements.
    public init(_ values: [Element]) { self.values = values }

    /// Parses `a,b` or `[a,b]`; nil if an element is invalid.
    public init?(argument: String) {
        var values: [Element] = []
        for text in Self.split(argument) {
            guard let value = Element(argument: text) else { return nil }
            values.append(value)
        }
        self.values = values
    }

    /// The elements, separated by commas, as shown in help texts.
    public var defaultValueDescription: String {
        values.map(\.defaultValueDescription).joined(separator: ",")
    }
}

extension ArgumentList: Equatable where Element: Equatable {}
extension ArgumentList: Hashable where Element: Hashable {}
extension ArgumentList: Sendable where Element: Sendable {}

extension ArgumentList: ExpressibleByArrayLiteral {
    /// Creates a list from an array literal.
    public init(arrayLiteral elements: Element...) { self.init(elements) }
}

extension ArgumentList {
    /// The elements of a list in text form.
    static func split(_ text: String) -> [String] { ListText.split(text) }
}

/// Converts lists to and from text.
enum ListText {
    /// Parses `a,b`, `[a, b]` or `["a","b"]`.
    static func split(_ text: String) -> [String] {
        var body = Substring(text).trimmed
        if body.hasPrefix("["), body.hasSuffix("]") { body = body.dropFirst().dropLast() }
        var elements: [String] = []
        var rest = body.trimmed
        guard !rest.isEmpty else { return [] }
        while true {
            rest = rest.trimmed
            if rest.first == "\"", let (element, after) = quoted(rest) {
                elements.append(element)
                guard let comma = after.trimmed.first else { return elements }
                if comma == "," {
                    rest = after.trimmed.dropFirst()
                    continue
                }
                // Not a quoted element after all: fall through and use the text unchanged.
                elements.removeLast()
            }
            guard let comma = rest.firstIndex(of: ",") else {
                elements.append(String(rest.trimmed))
                return elements
            }
            elements.append(String(rest[..<comma].trimmed))
            rest = rest[rest.index(after: comma)...]
        }
    }

    /// The text of a list, from which `split` restores the elements.
    static func join(_ elements: [String]) -> String {
        if elements.isEmpty { return "[]" }
        let isPlain = elements.allSatisfy { element in
            !element.isEmpty && Substring(element).trimmed == element
                && !element.contains { ",\"[]".contains($0) }
        }
        if isPlain { return elements.joined(separator: ",") }
        let quoted = elements.map { element in
            "\"" + element.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return "[" + quoted.joined(separator: ",") + "]"
    }

    private static func quoted(_ text: Substring) -> (String, after: Substring)? {
        var element = ""
        var index = text.index(after: text.startIndex)
        while index < text.endIndex {
            switch text[index] {
            case "\"": return (element, text[text.index(after: index)...])
            case "\\":
                index = text.index(after: index)
                guard index < text.endIndex else { return nil }
                element.append(text[index])
            default: element.append(text[index])
            }
            index = text.index(after: index)
        }
        return nil
    }
}

extension Substring {
    /// The text without white space at both ends.
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return text
    }
}
