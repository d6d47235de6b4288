/// A text with choices and slots: `[a|b|]` is replaced by one of its options (choices may nest), `{name}` by the value
/// of a slot.
///
/// Two forms of a slot are derived: `{A name}` is the value preceded by "a" or "an", `{Name}` is the value with a
/// capital letter.
struct Template {
    private indirect enum Part {
        case text(String)
        case slot(String)
        case choice([[Part]])
    }

    private let parts: [Part]

    /// Parses a template.
    /// - Precondition: Brackets and braces are balanced. (All templates are literals in this module.)
    init(_ source: String) {
        var rest = Array(source)[...]
        parts = Self.sequence(&rest)
        precondition(rest.isEmpty, "unbalanced template: \(source)")
    }

    /// A random expansion of the template. The names of the slots in it are added to `used`.
    func expanded(
        _ slots: [String: String], noting used: inout Set<String>, using generator: inout PCG64
    ) -> String {
        var text = ""
        func expand(_ parts: [Part]) {
            for part in parts {
                switch part {
                case .text(let plain): text += plain
                case .slot(let name): text += Self.value(of: name, in: slots, noting: &used)
                case .choice(let options): expand(generator.pick(options))
                }
            }
        }
        expand(parts)
        return text
    }

    /// The value of a slot or of a derived form of one; notes the slot as used.
    private static func value(
        of name: String, in slots: [String: String], noting used: inout Set<String>
    ) -> String {
        func look(_ key: String) -> String? {
            if slots[key] != nil { used.insert(key) }
            return slots[key]
        }
        if let value = look(name) { return value }
        if name.hasPrefix("A "), let value = look(String(name.dropFirst(2))) {
            return ("aeiou".contains(value.prefix(1)) ? "an " : "a ") + value
        }
        guard let value = look(name.prefix(1).lowercased() + name.dropFirst()) else {
            preconditionFailure("no slot \(name)")
        }
        return value.prefix(1).uppercased() + value.dropFirst()
    }

    /// Parses parts up to the end of the text or of the enclosing option.
    private static func sequence(_ rest: inout ArraySlice<Character>) -> [Part] {
        var parts: [Part] = []
        var text = ""
        func endText() {
            if !text.isEmpty { parts.append(.text(text)) }
            text = ""
        }
        while let character = rest.first, character != "|", character != "]" {
            rest.removeFirst()
            switch character {
            case "{":
                endText()
                let end = rest.firstIndex(of: "}") ?? rest.endIndex
                parts.append(.slot(String(rest[..<end])))
                rest = rest[end...].dropFirst()
            case "[":
                endText()
                var options = [sequence(&rest)]
                while rest.first == "|" {
                    rest.removeFirst()
                    options.append(sequence(&rest))
                }
                precondition(rest.first == "]", "a choice is not closed")
                rest.removeFirst()
                parts.append(.choice(options))
            default:
                text.append(character)
            }
        }
        endText()
        return parts
    }
}
