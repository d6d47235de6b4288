import Runs

/// Decodes settings from values by snake_case name; the counterpart of `SettingsEncoder`. Errors name the setting whose value has
/// the wrong type.
struct SettingsDecoder: Decoder {
    private let value: OptionValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func decode<Value: Settings>(_ type: Value.Type, from values: [String: OptionValue]) throws -> Value {
        try Value(from: SettingsDecoder(value: .object(values), codingPath: []))
    }

    private func problem(_ expected: String) -> InvalidSetting {
        let name = codingPath.first.map { "--" + SettingName.canonical($0.stringValue) } ?? "the settings"
        return InvalidSetting("\(name) is \(value.text); expected \(expected)")
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw problem("an object of values by name") }
        return KeyedDecodingContainer(Keyed(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw problem("a list") }
        return Unkeyed(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }

    private func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let found: Any?
        switch (type, value) {
        case (is Bool.Type, .bool(let bool)): found = bool
        case (is String.Type, .string(let text)): found = text
        case (is Double.Type, _): found = number
        case (is Float.Type, _): found = number.map { Float($0) }
        case (let integer as any FixedWidthInteger.Type, _): found = whole(integer)
        case (is Bool.Type, _), (is String.Type, _): found = nil
        default: return try Value(from: self)
        }
        guard let result = found as? Value else { throw problem(Self.name(of: type)) }
        return result
    }

    private var number: Double? {
        switch value {
        case .number(let number): number
        case .integer(let integer): Double(integer)
        case .string("inf"): .infinity
        case .string("-inf"): -.infinity
        case .string("nan"): .nan
        default: nil
        }
    }

    private func whole<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
        switch value {
        case .integer(let integer): Integer(exactly: integer)
        case .number(let number): Integer(exactly: number)
        case .string(let text): Integer(text)
        default: nil
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is String.Type: "a string"
        case is any FixedWidthInteger.Type: "a whole number"
        default: "a number"
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: [String: OptionValue]
        let codingPath: [any CodingKey]
        var allKeys: [Key] { members.keys.compactMap { Key(stringValue: SettingName.camel($0)) } }

        private func value(_ key: Key) -> OptionValue? { members[SettingName.snake(key.stringValue)] }
        private func decoder(_ key: Key) -> SettingsDecoder {
            SettingsDecoder(value: value(key) ?? .null, codingPath: codingPath + [key])
        }

        func contains(_ key: Key) -> Bool { value(key) != nil }
        func decodeNil(forKey key: Key) -> Bool { value(key).map { $0 == .null } ?? true }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try decoder(key).decode(type) }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try decoder(key).container(keyedBy: type) }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try decoder(key).unkeyedContainer() }
        func superDecoder() -> any Decoder { SettingsDecoder(value: .object(members), codingPath: codingPath) }
        func superDecoder(forKey key: Key) -> any Decoder { decoder(key) }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [OptionValue]
        let codingPath: [any CodingKey]
        private(set) var currentIndex = 0
        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex >= elements.count }

        init(elements: [OptionValue], codingPath: [any CodingKey]) { (self.elements, self.codingPath) = (elements, codingPath) }

        private mutating func next() throws -> SettingsDecoder {
            guard !isAtEnd else { throw InvalidSetting("a list is too short") }
            defer { currentIndex += 1 }
            return SettingsDecoder(value: elements[currentIndex], codingPath: codingPath)
        }

        mutating func decodeNil() -> Bool {
            guard !isAtEnd, elements[currentIndex] == .null else { return false }
            currentIndex += 1
            return true
        }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().decode(type) }
        mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
            try next().container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
        mutating func superDecoder() throws -> any Decoder { try next() }
    }

    private struct Single: SingleValueDecodingContainer {
        let decoder: SettingsDecoder
        var codingPath: [any CodingKey] { decoder.codingPath }

        func decodeNil() -> Bool { decoder.value == .null }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decode(type) }
    }
}
