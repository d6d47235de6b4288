public import Foundation

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
    }

    /// Text larger than this is not a configuration, in bytes.
    package static let sizeLimit = 4 << 20

    // MARK: Reading

    /// Reads JSON text. `file` appears in errors.
    ///
    /// - Throws: `CheckpointError.badJSON`.
    public init(parsing bytes: [UInt8], file: String) throws {
        guard bytes.count <= Self.sizeLimit else {
            throw CheckpointError.tooLarge(file: file, part: "text", size: bytes.count, limit: Self.sizeLimit)
        }
        self = try CheckpointError.inJSON(of: file) {
            var scanner = JSONScanner(bytes)
            let value = try scanner.value()
            try scanner.end()
            return value
        }
    }

    /// Reads a file.
    ///
    /// - Throws: `CheckpointError.unreadable`, `.tooLarge`, `.badJSON`.
    public init(contentsOf url: URL) throws {
        let file = try MappedFile(url)
        guard file.bytes.count <= Self.sizeLimit else {
            throw CheckpointError.tooLarge(file: file.path, part: "text", size: file.bytes.count, limit: Self.sizeLimit)
        }
        try file.checkIsNoPointerFile()
        try self.init(parsing: Array(file.bytes), file: file.path)
    }

    // MARK: Access

    /// The value of a key of an object; nil when there is none, or when this is not an object. Assigning nil removes
    /// the key; assigning to a key of something that is no object makes it one.
    public subscript(key: String) -> JSONValue? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.key == key }?.value
        }
        set {
            var members: [Member] = []
            if case .object(let present) = self { members = present }
            let index = members.firstIndex { $0.key == key }
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
    public var isNull: Bool { self == .null }

    // MARK: Writing

    /// The text, with two spaces for each level and a newline at the end; what Hugging Face's libraries write.
    public var text: String { rendered(indentation: "") + "\n" }

    private func rendered(indentation: String) -> String {
        let inner = indentation + "  "
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let text): return text
        case .string(let text): return Self.quoted(text)
        case .array(let values):
            if values.isEmpty { return "[]" }
            let lines = values.map { inner + $0.rendered(indentation: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indentation)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { "\(inner)\(Self.quoted($0.key)): \($0.value.rendered(indentation: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
        }
    }

    /// A JSON string.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{C}": result += "\\f"
            case _ where scalar.value < 0x20:
                result += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Writes the text to a file, which appears under its name only when it is complete.
    ///
    /// - Throws: `FileError`.
    public func write(to url: URL) throws {
        try AtomicFile.write(text, to: url)
    }
}

extension JSONScanner {
    /// Reads any value.
    package mutating func value() throws -> JSONValue {
        if let text = nonFiniteNumber() { return .number(text) }
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [JSONValue.Member] = []
            try object { members.append(JSONValue.Member($0, try $1.value())) }
            return .object(members)
        case UInt8(ascii: "["):
            var values: [JSONValue] = []
            try array { values.append(try $0.value()) }
            return .array(values)
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            return .number(try numberText())
        default:
            return try word().map { .bool($0) } ?? .null
        }
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
