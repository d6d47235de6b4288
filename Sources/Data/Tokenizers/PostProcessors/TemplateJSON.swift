import Formats

/// A TemplateProcessing as it stands in a tokenizer.json.
struct TemplateJSON {
    /// A special token with its id.
    struct Token {
        var text: String
        var id: Int32
    }

    /// What stands before a text, and before each text of a pair but, if `opensSecond` is false, the second.
    var prefix: [Token]
    /// What stands behind every text.
    var suffix: [Token]
    var opensSecond = true

    /// The JSON with the closing tokens, once or twice, between two texts, all of one type.
    func untypedJSON(doublesClosing: Bool) -> JSONValue {
        func special(_ token: Token) -> JSONValue { ["SpecialToken": ["id": .string(token.text), "type_id": 0]] }
        func text(_ name: String) -> JSONValue { ["Sequence": ["id": .string(name), "type_id": 0]] }
        let closing = suffix.map(special)
        let single = prefix.map(special) + [text("A")] + closing
        return json.setting("single", to: .array(single)).setting(
            "pair", to: .array(single + (doublesClosing ? closing : []) + [text("B")] + closing))
    }

    /// The JSON; null if nothing is put around texts.
    var json: JSONValue {
        if prefix.isEmpty, suffix.isEmpty { return nil }
        func special(_ token: Token, _ type: Int) -> JSONValue {
            ["SpecialToken": ["id": .string(token.text), "type_id": .integer(type)]]
        }
        func text(_ name: String, _ type: Int, opens: Bool) -> [JSONValue] {
            var elements: [JSONValue] = opens ? prefix.map { special($0, type) } : []
            elements.append(["Sequence": ["id": .string(name), "type_id": .integer(type)]])
            elements += suffix.map { special($0, type) }
            return elements
        }
        var definitions: [JSONValue.Member] = []
        for token in prefix + suffix where !definitions.contains(where: { $0.key == token.text }) {
            let id: JSONValue = .integer(Int(token.id))
            definitions.append(
                .init(
                    token.text, ["id": .string(token.text), "ids": [id], "tokens": [.string(token.text)]])
            )
        }
        return [
            "type": "TemplateProcessing", "single": .array(text("A", 0, opens: true)),
            "pair": .array(text("A", 0, opens: true) + text("B", 1, opens: opensSecond)),
            "special_tokens": .object(definitions),
        ]
    }
}
