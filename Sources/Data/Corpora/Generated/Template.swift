/// A text with choices and slots: `[a|b|]` is one of its parts (they may nest), `{name}` is the value of a slot.
///
/// Two slots are derived: `{A name}` is the value with "a" or "an" before it, `{Name}` the value with a capital.
struct Template {
    private indirect enum Part {
        case text(String)
        case slot(String)
        case choice([[Part]])
    }

    private let parts: [Part]

    /// - Precondition: Brackets and braces are balanced (templates are written in this module, never read).
    init(_ source: String) {
        var rest = Array(source)[...]
        parts = Self.sequence(&rest)
        precondition(rest.isEmpty, "unbalanced template: \(source)")
    }

    /// One text of those that the template stands for. The slots whose values it holds are added to `used`.
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
