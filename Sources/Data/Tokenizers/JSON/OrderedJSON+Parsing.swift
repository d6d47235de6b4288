import Formats

extension OrderedJSON {
    /// Reads a JSON text (RFC 8259) from UTF-8 bytes. Of repeated keys all are kept.
    ///
    /// - Parameter file: The name to use in errors.
    /// - Throws: `TokenizerError.malformed` with the line of the first fault; invalid UTF-8, lone surrogates, numbers beyond
    ///   a Double (but not Python's NaN and Infinity), nesting deeper than 128 levels and anything after the value are faults.
    init(parsing bytes: [UInt8], file: String) throws {
        do {
            var scanner = JSONScanner(bytes, allowsMark: true)
            self = try scanner.value()
            try scanner.end()
        } catch let fault as JSONError {
            throw TokenizerError.malformed(file: file, line: fault.line, reason: "not JSON: " + fault.reason)
        }
    }
}

extension JSONScanner {
    /// Reads any value.
    fileprivate mutating func value() throws -> OrderedJSON {
        if let text = nonFiniteNumber() { return .number(Double(text) ?? .nan) }
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [OrderedJSON.Member] = []
            try object(allowsRepeatedKeys: true) { key, scanner in
                members.append(OrderedJSON.Member(key: key, value: try scanner.value()))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [OrderedJSON] = []
            try array { elements.append(try $0.value()) }
            return .array(elements)
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            let text = try numberText()
            if let integer = Int(text) { return .integer(integer) }
            guard let number = Double(text), number.isFinite else { throw error("\"\(text)\" is no number") }
            return .number(number)
        default:
            return try word().map { .bool($0) } ?? .null
        }
    }
}
