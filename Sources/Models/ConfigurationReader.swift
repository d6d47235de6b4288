public import Formats
import Synchronization

/// A typed reader of a model's config.json.
///
/// All methods throw ``ModelError/configuration(key:problem:)`` if a value has the wrong type or is out of range. Methods with a
/// non-optional result also throw it if the key is missing.
public struct ConfigurationReader: Sendable {
    /// The JSON object that is read.
    public let object: JSONValue
    private let asked = AskedKeys()

    /// The keys that have been read so far.
    private final class AskedKeys: Sendable {
        let keys = Mutex<Set<String>>([])
    }

    /// Creates a reader of a JSON object.
    public init(_ object: JSONValue) { self.object = object }

    /// The members that have been read so far: the part of the file that determines the model's computation.
    public var askedMembers: JSONValue {
        let keys = asked.keys.withLock { $0 }
        return .object((object.members ?? []).filter { keys.contains($0.key) })
    }

    private func value<Value>(_ key: String, _ kind: String, _ read: (JSONValue) -> Value?) throws -> Value? {
        asked.keys.withLock { _ = $0.insert(key) }
        guard let found = object[key], !found.isNull else { return nil }
        guard let value = read(found) else {
            // NaN and infinity are not JSON numbers, although their authors meant them as such
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

    /// A positive integer below 2³¹.
    public func count(_ key: String) throws -> Int {
        let value = try required(key, try optionalCount(key))
        return value
    }
    /// A positive integer under either of two keys: the family's own key or the usual one.
    func count(_ key: String, or other: String) throws -> Int { try optionalCount(key) ?? (has(other) ? count(other) : count(key)) }
    /// The number of layers under either of two keys.
    func layerCount(_ key: String, or other: String) throws -> Int { try layerCount(has(key) || !has(other) ? key : other) }
    /// A positive integer below 2³¹; nil if the key is missing or null.
    public func optionalCount(_ key: String) throws -> Int? {
        let number = try value(key, "a whole number", \.int)
        guard number.map({ $0 > 0 && $0 < 1 << 31 }) ?? true else {
            throw ModelError.configuration(key: key, problem: "must be between 1 and 2³¹ − 1")
        }
        return number
    }
    /// The number of layers. Rejects more than 10,000, before memory is allocated for them.
    public func layerCount(_ key: String) throws -> Int {
        let number = try count(key)
        guard number <= 10_000 else {
            throw ModelError.configuration(key: key, problem: "is \(number); at most 10000 is supported")
        }
        return number
    }
    /// An integer such as a token ID; nil if the key is missing or null.
    public func optionalInteger(_ key: String) throws -> Int? { try value(key, "a whole number", \.int) }
    /// A number; nil if the key is missing or null.
    public func optionalNumber(_ key: String) throws -> Double? { try value(key, "a number", \.double) }
    /// A finite number above 0; nil if the key is missing or null.
    public func positiveNumber(_ key: String) throws -> Double? {
        let number = try optionalNumber(key)
        guard number.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ModelError.configuration(key: key, problem: "must be a number above 0")
        }
        return number
    }
    /// A number above 0 that is representable as a 32-bit float; nil if the key is missing or null.
    public func positiveFloat(_ key: String) throws -> Float? {
        guard let number = try positiveNumber(key) else { return nil }
        let float = Float(number)
        guard float > 0, float.isFinite else {
            throw ModelError.configuration(key: key, problem: "is \(number), which is not a positive 32-bit float")
        }
        return float
    }
    /// A Boolean; `fallback` if the key is missing or null.
    public func flag(_ key: String, or fallback: Bool) throws -> Bool {
        try value(key, "true or false", \.bool) ?? fallback
    }
    /// A string.
    public func string(_ key: String) throws -> String { try required(key, try optionalString(key)) }
    /// A string; nil if the key is missing or null.
    public func optionalString(_ key: String) throws -> String? { try value(key, "a string", \.string) }
    /// A nested object; nil if the key is missing or null.
    public func section(_ key: String) throws -> ConfigurationReader? {
        try value(key, "an object") { $0.members == nil ? nil : ConfigurationReader($0) }
    }

    /// Whether any of the values is an object.
    var hasSections: Bool { (object.members ?? []).contains { $0.value.members != nil } }
    /// A list of finite numbers; empty if the key is missing or null.
    public func numbers(_ key: String) throws -> [Double] {
        try value(key, "a list of numbers") { list in
            guard let items = list.array else { return nil }
            let numbers = items.compactMap(\.double)
            return numbers.count == items.count && numbers.allSatisfy(\.isFinite) ? numbers : nil
        } ?? []
    }
    /// A list of strings; nil if the key is missing or null.
    public func optionalStrings(_ key: String) throws -> [String]? {
        try value(key, "a list of strings") { list in
            guard let items = list.array else { return nil }
            let strings = items.compactMap(\.string)
            return strings.count == items.count ? strings : nil
        }
    }
    /// A list of arbitrary JSON values; nil if the key is missing or null.
    public func optionalList(_ key: String) throws -> [JSONValue]? { try value(key, "a list", \.array) }
    /// Whether the key exists, even if its value is null.
    public func has(_ key: String) -> Bool {
        asked.keys.withLock { _ = $0.insert(key) }
        return object[key] != nil
    }
}
