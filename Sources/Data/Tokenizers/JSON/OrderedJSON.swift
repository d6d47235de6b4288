/// A JSON value that keeps the order of its keys.
///
/// Tokenizer files need two things that Foundation's readers do not promise: keys that are told apart by their bytes
/// (two tokens may be canonically equivalent and still differ) and errors with a line number.
indirect enum OrderedJSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([OrderedJSON])
    case object([Member])

    /// One key of an object with its value.
    struct Member: Sendable {
        var key: String
        var value: OrderedJSON
    }

    /// The value of a key; `nil` if this is no object, if the key is absent, or if its value is null.
    subscript(key: String) -> OrderedJSON? {
        guard case .object(let members) = self,
            let member = members.last(where: { $0.key.utf8.elementsEqual(key.utf8) })
        else { return nil }
        if case .null = member.value { return nil }
        return member.value
    }

    var string: String? { if case .string(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    var array: [OrderedJSON]? { if case .array(let value) = self { value } else { nil } }
    var members: [Member]? { if case .object(let value) = self { value } else { nil } }

    /// What kind of value this is, for error messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// This object without some keys.
    func removing(_ keys: [String]) -> OrderedJSON {
        .object((members ?? []).filter { !keys.contains($0.key) })
    }

    /// This object with `value` under `key`, in the key's place or at the end.
    func setting(_ key: String, to value: OrderedJSON) -> OrderedJSON {
        var members = self.members ?? []
        if let index = members.lastIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
            members[index].value = value
        } else {
            members.append(Member(key: key, value: value))
        }
        return .object(members)
    }
}

extension OrderedJSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(arrayLiteral elements: OrderedJSON...) { self = .array(elements) }
    init(nilLiteral: ()) { self = .null }
    init(dictionaryLiteral elements: (String, OrderedJSON)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }
}
