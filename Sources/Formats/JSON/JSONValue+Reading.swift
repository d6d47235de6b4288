public import Foundation

/// Deviations from strict JSON that a reader tolerates, since writers differ.
package struct JSONReading: OptionSet, Sendable {
    /// The bits of the set.
    package let rawValue: UInt8

    /// Creates a set from its bits.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The text may start with a byte-order mark.
    package static let byteOrderMark = JSONReading(rawValue: 1)
    /// Objects may contain a key twice. All members are kept; looking up the key gives the last one.
    package static let repeatedKeys = JSONReading(rawValue: 2)
    /// Numbers may exceed the range of a `Double`.
    package static let hugeNumbers = JSONReading(rawValue: 4)
}

extension JSONValue {
    /// The maximum size of a configuration in bytes.
    package static let sizeLimit = 4 << 20

    /// Parses JSON text (RFC 8259) of any length. `NaN` and infinities are accepted.
    /// - Throws: `JSONError` for the first error.
    package init(parsing bytes: [UInt8], _ reading: JSONReading) throws {
        var scanner = JSONScanner(bytes, allowsMark: reading.contains(.byteOrderMark))
        self = try scanner.value(reading)
        try scanner.end()
    }

    /// Parses JSON text. `file` is the name for error messages.
    ///
    /// - Throws: `CheckpointError.tooLarge` or `.badJSON`.
    public init(parsing bytes: [UInt8], file: String) throws {
        guard bytes.count <= Self.sizeLimit else {
            throw CheckpointError.tooLarge(file: file, part: "text", size: bytes.count, limit: Self.sizeLimit)
        }
        self = try CheckpointError.inJSON(of: file) { try JSONValue(parsing: bytes, .hugeNumbers) }
    }

    /// Reads and parses a JSON file.
    ///
    /// - Throws: `CheckpointError.unreadable`, `.tooLarge` or `.badJSON`.
    public init(contentsOf url: URL) throws {
        let file = try MappedFile(url)
        guard file.bytes.count <= Self.sizeLimit else {
            throw CheckpointError.tooLarge(file: file.path, part: "text", size: file.bytes.count, limit: Self.sizeLimit)
        }
        try file.checkIsNoPointerFile()
        try self.init(parsing: Array(file.bytes), file: file.path)
    }
}

extension JSONScanner {
    /// Reads any value.
    fileprivate mutating func value(_ reading: JSONReading) throws -> JSONValue {
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [JSONValue.Member] = []
            try object(allowsRepeatedKeys: reading.contains(.repeatedKeys)) { key, scanner in
                members.append(JSONValue.Member(key, try scanner.value(reading)))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var values: [JSONValue] = []
            try array { values.append(try $0.value(reading)) }
            return .array(values)
        case UInt8(ascii: "\""):
            return .string(try string())
        case let first:
            if let word = nonFiniteNumber() { return .number(word) }
            guard let first, first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
                return try word().map { .bool($0) } ?? .null
            }
            let text = try numberText()
            guard reading.contains(.hugeNumbers) || Int(text) != nil || Double(text)?.isFinite == true else {
                throw error("\"\(text)\" is not a number")
            }
            return .number(text)
        }
    }
}
