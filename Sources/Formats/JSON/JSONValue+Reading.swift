public import Foundation

/// What is let pass in JSON text: its writers differ.
package struct JSONReading: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A byte-order mark may stand before the text.
    package static let byteOrderMark = JSONReading(rawValue: 1)
    /// A key may come twice in an object. All its members are kept; who asks for the key gets the last.
    package static let repeatedKeys = JSONReading(rawValue: 2)
    /// Numbers may be beyond the range of a `Double`.
    package static let hugeNumbers = JSONReading(rawValue: 4)
}

extension JSONValue {
    /// Text larger than this is not a configuration, in bytes.
    package static let sizeLimit = 4 << 20

    /// Reads JSON text (RFC 8259) of any length; Python's `NaN` and infinities, too.
    /// - Throws: `JSONError` at the first fault.
    package init(parsing bytes: [UInt8], _ reading: JSONReading) throws {
        var scanner = JSONScanner(bytes, allowsMark: reading.contains(.byteOrderMark))
        self = try scanner.value(reading)
        try scanner.end()
    }

    /// Reads JSON text. `file` appears in errors.
    ///
    /// - Throws: `CheckpointError.badJSON`.
    public init(parsing bytes: [UInt8], file: String) throws {
        guard bytes.count <= Self.sizeLimit else {
            throw CheckpointError.tooLarge(file: file, part: "text", size: bytes.count, limit: Self.sizeLimit)
        }
        self = try CheckpointError.inJSON(of: file) { try JSONValue(parsing: bytes, .hugeNumbers) }
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
                throw error("\"\(text)\" is no number")
            }
            return .number(text)
        }
    }
}
