public import Formats
import Synchronization

/// Typed reading of a config.json.
///
/// Every reading throws ``ModelError/configuration(key:problem:)`` for a value of another kind or out of range, and for a key that is
/// absent where the result is no optional.
public struct ConfigurationReader: Sendable {
    /// The file's object.
    public let object: JSONValue
    private let asked = AskedKeys()

    /// The keys that somebody has asked for.
    private final class AskedKeys: Sendable {
        let keys = Mutex<Set<String>>([])
    }

    /// A reader of a JSON object.
    public init(_ object: JSONValue) { self.object = object }

    /// What has been asked for so far and was there: that part of the file on which a model's computation depends.
    public var askedMembers: JSONValue {
        let keys = asked.keys.withLock { $0 }
        return .object((object.members ?? []).filter { keys.contains($0.key) })
    }

    private func value<Value>(_ key: String, _ kind: String, _ read: (JSONValue) -> Value?) throws -> Value? {
        asked.keys.withLock { _ = $0.insert(key) }
        guard let found = object[key], !found.isNull else { return nil }
        guard let value = read(found) else {
            // NaN and infinities look like numbers to those who wrote them
            if case .number(let text) = found, found.double == nil {
                throw ModelError.configuration(key: key, problem: "is \(text.prefix(40))\(text.utf8.count > 40 ? "…" : ""), not \(kind)")
            }
            throw ModelError.configuration(key: key, problem: "is not \(kind)")
        }
        return value
    }
    private func required<Value>(_ key: String, _ value: Value?) throws -> Value {
        guard let value else { throw ModelError.configuration(key: key, problem: "is missing") }
        return value
    }

    /// A positive whole number.
    public func count(_ key: String) throws -> Int {
        let value = try required(key, try optionalCount(key))
        return value
    }
    /// A positive whole number under either of two keys, a family's own and the one that most families have.
    func count(_ key: String, or other: String) throws -> Int { try optionalCount(key) ?? (has(other) ? count(other) : count(key)) }
    /// The number of layers under either of two keys.
    func layerCount(_ key: String, or other: String) throws -> Int { try layerCount(has(key) || !has(other) ? key : other) }
    /// A positive whole number, or nil when the key is absent or null.
    public func optionalCount(_ key: String) throws -> Int? {
        let number = try value(key, "a whole number", \.int)
        guard number.map({ $0 > 0 && $0 < 1 << 31 }) ?? true else {
            throw ModelError.configuration(key: key, problem: "must be between 1 and 2³¹")
        }
        return number
    }
    /// The number of layers; more than any model has are refused before memory is set aside for them.
    public func layerCount(_ key: String) throws -> Int {
        let number = try count(key)
        guard number <= 10_000 else {
            throw ModelError.configuration(key: key, problem: "is \(number), more than any model has")
        }
        return number
    }
    /// A whole number such as a token id, or nil.
    public func optionalInteger(_ key: String) throws -> Int? { try value(key, "a whole number", \.int) }
    /// A number, or nil.
    public func optionalNumber(_ key: String) throws -> Double? { try value(key, "a number", \.double) }
    /// A number above 0, or nil.
    public func positiveNumber(_ key: String) throws -> Double? {
        let number = try optionalNumber(key)
        guard number.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ModelError.configuration(key: key, problem: "must be a number above 0")
        }
        return number
    }
    /// A number above 0 that a 32-bit float can hold, or nil.
    public func positiveFloat(_ key: String) throws -> Float? {
        guard let number = try positiveNumber(key) else { return nil }
        let float = Float(number)
        guard float > 0, float.isFinite else {
            throw ModelError.configuration(key: key, problem: "is \(number), which is no 32-bit float above 0")
        }
        return float
    }
    /// True or false; `fallback` when absent.
    public func flag(_ key: String, or fallback: Bool) throws -> Bool {
        try value(key, "true or false", \.bool) ?? fallback
    }
    /// A string.
    public func string(_ key: String) throws -> String { try required(key, try optionalString(key)) }
    /// A string, or nil.
    public func optionalString(_ key: String) throws -> String? { try value(key, "a string", \.string) }
    /// An object inside this one, or nil.
    public func section(_ key: String) throws -> ConfigurationReader? {
        try value(key, "an object") { $0.members == nil ? nil : ConfigurationReader($0) }
    }

    /// Whether some of the values are objects.
    var hasSections: Bool { (object.members ?? []).contains { $0.value.members != nil } }
    /// Numbers; an empty list when the key is absent.
    public func numbers(_ key: String) throws -> [Double] {
        try value(key, "a list of numbers") { list in
            guard let items = list.array else { return nil }
            let numbers = items.compactMap(\.double)
            return numbers.count == items.count && numbers.allSatisfy(\.isFinite) ? numbers : nil
        } ?? []
    }
    /// Strings, or nil when the key is absent or null.
    public func optionalStrings(_ key: String) throws -> [String]? {
        try value(key, "a list of strings") { list in
            guard let items = list.array else { return nil }
            let strings = items.compactMap(\.string)
            return strings.count == items.count ? strings : nil
        }
    }
    /// A list as it lies in the file, or nil when the key is absent or null.
    public func optionalList(_ key: String) throws -> [JSONValue]? { try value(key, "a list", \.array) }
    /// Whether the key is there, be it with null.
    public func has(_ key: String) -> Bool {
        asked.keys.withLock { _ = $0.insert(key) }
        return object[key] != nil
    }
}
