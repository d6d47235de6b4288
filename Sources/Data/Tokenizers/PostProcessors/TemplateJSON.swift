import Formats

/// Builds the JSON of a TemplateProcessing.
struct TemplateJSON {
    /// A special token with its ID.
    struct Token {
        var text: String
        var id: Int32
    }

    /// The tokens before a text. In a pair, they also precede the second text unless `opensSecond` is false.
    var prefix: [Token]
    /// The tokens after every text.
    var suffix: [Token]
    /// Whether `prefix` precedes the second text of a pair.
    var opensSecond = true

    /// The JSON with type ID 0 throughout. Between the texts of a pair, the closing tokens occur once, or twice if
    /// `doublesClosing` is true.
    func untypedJSON(doublesClosing: Bool) -> JSONValue {
        func special(_ token: Token) -> JSONValue { ["SpecialToken": ["id": .string(token.text), "type_id": 0]] }
        func text(_ name: String) -> JSONValue { ["Sequence": ["id": .string(name), "type_id": 0]] }
        let closing = suffix.map(special)
        let single = prefix.map(special) + [text("A")] + closing
        return json.setting("single", to: .array(single)).setting(
            "pair", to: .array(single + (doublesClosing ? closing : []) + [text("B")] + closing))
    }

    /// The JSON; null if there are no special tokens.
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
