/// A JSON value that preserves the order of object members and the spelling of numbers.
///
/// Model configurations contain keys of many programs. Reading a `JSONValue` and writing it again keeps all of them.
public enum JSONValue: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number as text, so that 1e-05 and 10000.0 keep their spelling. May also be `NaN`, `Infinity` or `-Infinity`, which
    /// Python writes; the accessors do not return those as numbers.
    case number(String)
    /// A string with its escape sequences resolved.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object, with its members in order.
    case object([Member])

    /// A member of an object.
    public struct Member: Equatable, Sendable {
        /// The key, with its escape sequences resolved.
        public var key: String
        /// The member's value.
        public var value: JSONValue

        /// Creates a member.
        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }

        /// Whether this member has a key. Keys are compared as bytes: canonically equivalent strings differ, as vocabulary tokens
        /// do.
        package func has(_ key: String) -> Bool { self.key.utf8.elementsEqual(key.utf8) }
    }

    // MARK: Access

    /// The value for a key of an object; nil if the key is missing or this is not an object. Keys are compared as bytes, and the
    /// last of repeated keys counts. Assigning nil removes the key. Assigning to a value that is not an object turns it into an
    /// object.
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
            // of repeated keys none may stay: a lookup would find it then
            case (_?, nil): members.removeAll { $0.has(key) }
            case (nil, let value?): members.append(Member(key, value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }

    /// The value of a boolean; nil otherwise.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The value of an integer; nil otherwise. 3.0 counts as an integer.
    public var int: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
    }

    /// The value of a number that is written as an integer, not as 3.0 or 3e0; nil otherwise.
    package var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }

    /// The value of a finite number; nil otherwise.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The value of a string; nil otherwise.
    public var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The elements of an array; nil otherwise.
    public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

    /// The members of an object; nil otherwise.
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// This value, or nil if it is `null`, for files in which a key with `null` counts as missing.
    package var unlessNull: JSONValue? { isNull ? Optional.none : .some(self) }

    /// The kind of value, for error messages.
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

    /// An integer.
    package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// This object without the given keys.
    package func removing(_ keys: [String]) -> JSONValue {
        .object((members ?? []).filter { member in !keys.contains { member.has($0) } })
    }

    /// This object with `key` set to `value`. An existing key keeps its position; a new one is appended.
    package func setting(_ key: String, to value: JSONValue) -> JSONValue {
        var changed = self
        changed[key] = value
        return changed
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// An integer.
    public init(_ value: Int) { self = .number(String(value)) }

    /// A number. NaN and infinities, which JSON cannot represent, become `null`.
    public init(_ value: Double) { self = value.isFinite ? .number(value.description) : .null }

    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int) { self.init(value) }
    /// A number.
    public init(floatLiteral value: Double) { self.init(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object with the members in order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
