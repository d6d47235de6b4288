import Runs

/// Encodes settings as values by snake_case name. Foundation's encoder is not used, because files store integers that do not fit
/// in 64 signed bits (such as seeds) and NaN or Inf as strings.
struct SettingsEncoder: Encoder {
    /// Collects the encoded values. The containers of one value share a node.
    private final class Node {
        var value = OptionValue.null
        var members: [String: Node]?
        var elements: [Node]?

        var result: OptionValue {
            if let members { return .object(members.mapValues(\.result)) }
            if let elements { return .array(elements.map(\.result)) }
            return value
        }
    }

    private let node = Node()
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func encode(_ settings: some Settings) throws -> [String: OptionValue] {
        let encoder = SettingsEncoder(codingPath: [])
        try settings.encode(to: encoder)
        guard case .object(let members) = encoder.node.result else { return [:] }
        return members.filter { $0.value != .null }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.members = node.members ?? [:]
        return KeyedEncodingContainer(Keyed(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.elements = node.elements ?? []
        return Unkeyed(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }

    /// The value as it is stored in a file.
    private static func value(of value: some Encodable, at path: [any CodingKey]) throws -> OptionValue {
        switch value {
        case let bool as Bool: return .bool(bool)
        case let text as String: return .string(text)
        case let number as Double: return Self.number(number)
        // keeps the digits as typed: 0.1 as a Float must not become 0.10000000149
        case let number as Float: return Self.number(Double("\(number)") ?? .nan)
        case let integer as any BinaryInteger: return Int64(exactly: integer).map(OptionValue.integer) ?? .string("\(integer)")
        default:
            let encoder = SettingsEncoder(codingPath: path)
            try value.encode(to: encoder)
            return encoder.node.result
        }
    }

    private static func number(_ value: Double) -> OptionValue { value.isFinite ? .number(value) : .string("\(value)") }

    private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: SettingsEncoder
        var codingPath: [any CodingKey] { encoder.codingPath }

        private func add(_ value: OptionValue, _ key: Key) {
            let node = Node()
            node.value = value
            encoder.node.members?[SettingName.snake(key.stringValue)] = node
        }

        mutating func encodeNil(forKey key: Key) { add(.null, key) }

        mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
            add(try SettingsEncoder.value(of: value, at: codingPath + [key]), key)
        }

        private func child(_ key: Key) -> SettingsEncoder {
            let child = SettingsEncoder(codingPath: codingPath + [key])
            encoder.node.members?[SettingName.snake(key.stringValue)] = child.node
            return child
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> { child(key).container(keyedBy: type) }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { child(key).unkeyedContainer() }
        mutating func superEncoder() -> any Encoder { encoder }
        mutating func superEncoder(forKey key: Key) -> any Encoder { child(key) }
    }

    private struct Unkeyed: UnkeyedEncodingContainer {
        let encoder: SettingsEncoder
        var codingPath: [any CodingKey] { encoder.codingPath }
        var count: Int { encoder.node.elements?.count ?? 0 }

        private func add(_ value: OptionValue) {
            let node = Node()
            node.value = value
            encoder.node.elements?.append(node)
        }

        mutating func encodeNil() { add(.null) }
        mutating func encode<Value: Encodable>(_ value: Value) throws { add(try SettingsEncoder.value(of: value, at: codingPath)) }

        private func child() -> SettingsEncoder {
            let child = SettingsEncoder(codingPath: codingPath)
            encoder.node.elements?.append(child.node)
            return child
        }

        mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            child().container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { child().unkeyedContainer() }
        mutating func superEncoder() -> any Encoder { child() }
    }

    private struct Single: SingleValueEncodingContainer {
        let encoder: SettingsEncoder
        var codingPath: [any CodingKey] { encoder.codingPath }

        mutating func encodeNil() { encoder.node.value = .null }
        mutating func encode<Value: Encodable>(_ value: Value) throws {
            encoder.node.value = try SettingsEncoder.value(of: value, at: codingPath)
        }
    }
}
