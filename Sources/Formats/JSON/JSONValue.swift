/// Any JSON value, with its members in order and its numbers as they were written.
///
/// Configuration files of models carry keys of many programs. What is read into a `JSONValue` and written again keeps
/// all of them, so that a checkpoint goes back out with what it came with.
public enum JSONValue: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number as text, so that 1e-05 and 10000.0 stay what they were; also `NaN`, `Infinity` and `-Infinity`, which Python writes
    /// and which are no number to anyone who asks.
    case number(String)
    /// A string, unescaped.
    case string(String)
    /// Values in order.
    case array([JSONValue])
    /// Members in order.
    case object([Member])

    /// A key and its value.
    public struct Member: Equatable, Sendable {
        /// The key, unescaped.
        public var key: String
        /// What stands behind it.
        public var value: JSONValue

        /// A key with its value.
        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }

        /// Whether this is the member of a key: two keys may look the same and differ in their bytes, as tokens of a vocabulary do.
        package func has(_ key: String) -> Bool { self.key.utf8.elementsEqual(key.utf8) }
    }

    // MARK: Access

    /// The value of a key of an object; nil when there is none, or when this is not an object. Keys are told apart by their bytes, and
    /// of repeated ones the last counts. Assigning nil removes the key; assigning to a key of something that is no object makes it one.
    public subscript(key: String) -> JSONValue? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.last { $0.has(key) }?.value
        }
        set {
            var members: [Member] = []
            if case .object(let present) = self { members = present }
            let index = members.lastIndex { $0.has(key) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key, value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }

    /// The boolean, if this is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The whole number, if this is one; 3.0 counts as one.
    public var int: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
    }

    /// The whole number, if this is written as one: not as 3.0 or 3e0.
    package var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }

    /// The number, if this is a finite one.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The string, if this is one.
    public var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The elements, if this is an array.
    public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

    /// The members, if this is an object.
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// This value, unless it is `null`: for files in which a key of `null` is as good as none.
    package var unlessNull: JSONValue? { isNull ? Optional.none : .some(self) }

    /// What kind of value this is, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    // MARK: Building

    /// A whole number.
    package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// This object without some keys.
    package func removing(_ keys: [String]) -> JSONValue {
        .object((members ?? []).filter { member in !keys.contains { member.has($0) } })
    }

    /// This object with `value` under `key`, in the key's place or at the end.
    package func setting(_ key: String, to value: JSONValue) -> JSONValue {
        var changed = self
        changed[key] = value
        return changed
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A whole number.
    public init(_ value: Int) { self = .number(String(value)) }

    /// A number; not-finite ones have no spelling in JSON and become `null`.
    public init(_ value: Double) { self = value.isFinite ? .number(value.description) : .null }

    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self.init(value) }
    public init(floatLiteral value: Double) { self.init(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
