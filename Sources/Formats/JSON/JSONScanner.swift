/// An error in JSON text (RFC 8259): the text is invalid, or is not what the reader expects at a position.
package struct JSONError: Error, Equatable {
    /// The line of the error, counted from 1.
    package var line: Int
    /// The byte of the error within its line, counted from 1.
    package var column: Int
    /// What is wrong at that position.
    package var reason: String
}

/// A pull parser for JSON. The caller reads the text from start to end, one expected token at a time.
///
/// It is safe for untrusted headers and indexes: the caller builds only the values that it asks for, so that a hostile file
/// cannot use more memory than its own size. All errors are `JSONError`s with their position.
package struct JSONScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// Maximum nesting depth of objects and arrays.
    package static let depthLimit = 128

    /// Creates a scanner at the start of the text. With `allowsMark`, a byte-order mark is skipped.
    package init(_ bytes: [UInt8], allowsMark: Bool = false) {
        self.bytes = bytes
        if allowsMark, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    // MARK: Errors

    /// An error at the current position.
    package func error(_ reason: String) -> JSONError {
        let before = bytes.prefix(position)
        let line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return JSONError(line: line, column: position - start + 1, reason: reason)
    }

    private func unexpected(_ expectation: String) -> JSONError {
        guard position < bytes.count else { return error("the text ends where \(expectation) should be") }
        let byte = bytes[position]
        let shown = (0x21..<0x7F).contains(byte) ? "'\(UnicodeScalar(byte))'" : "byte \(byte)"
        return error("expected \(expectation), found \(shown)")
    }

    // MARK: Tokens

    /// The first byte of the next token, or nil at the end.
    package mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Consumes the next token if it is `byte`. Returns whether it is.
    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: Unicode.Scalar) throws {
        guard take(byte) else { throw unexpected("'\(byte)'") }
    }

    /// Checks that only whitespace is left.
    package mutating func end() throws {
        guard peek() == nil else { throw unexpected("the end of the text") }
    }

    /// Reads an object. `member` is called after each key and must read the value. Repeated keys are an error unless
    /// `allowsRepeatedKeys`.
    package mutating func object(
        allowsRepeatedKeys: Bool = false, _ member: (String, inout JSONScanner) throws -> Void
    ) throws {
        var keys: Set<String> = []
        try nested("{", "}") { scanner in
            guard scanner.peek() == UInt8(ascii: "\"") else { throw scanner.unexpected("a key") }
            let key = try scanner.string()
            guard allowsRepeatedKeys || keys.insert(key).inserted else {
                throw scanner.error("the key \(OneLine.quoted(key, limit: 120)) is repeated")
            }
            try scanner.expect(":")
            try member(key, &scanner)
        }
    }

    /// Reads an array. `element` is called at the start of each element and must read it.
    package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
        try nested("[", "]", element)
    }

    private mutating func nested(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ part: (inout JSONScanner) throws -> Void
    ) throws {
        try expect(open)
        depth += 1
        guard depth <= Self.depthLimit else { throw error("nested deeper than \(Self.depthLimit) levels") }
        if !take(close) {
            repeat { try part(&self) } while take(",")
            guard take(close) else { throw unexpected("',' or '\(close)'") }
        }
        depth -= 1
    }

    /// Reads `true`, `false` or `null`, for which it returns nil.
    package mutating func word() throws -> Bool? {
        let words: [(text: String, value: Bool?)] = [("true", true), ("false", false), ("null", nil)]
        _ = peek()
        for word in words where bytes[position...].starts(with: word.text.utf8) {
            position += word.text.utf8.count
            return word.value
        }
        try refuseNonFiniteNumber()
        throw unexpected("a value")
    }

    /// Throws an error that names `NaN` or an infinity if it is the next token.
    private mutating func refuseNonFiniteNumber() throws {
        _ = peek()
        let start = position
        guard let number = nonFiniteNumber() else { return }
        position = start
        throw error("\(number), which JSON does not allow")
    }

    /// Reads `NaN`, `Infinity` or `-Infinity`, which Python writes although JSON does not allow it. A reader of files with many
    /// keys may tolerate them in unused keys.
    /// - Returns: The token; nil without reading anything if the next token is another one.
    package mutating func nonFiniteNumber() -> String? {
        _ = peek()
        for word in ["NaN", "Infinity", "-Infinity"] where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return word
        }
        return nil
    }

    /// Reads a number and returns its text.
    package mutating func numberText() throws -> String {
        _ = peek()
        let start = position
        func digits(_ scanner: inout JSONScanner) -> Int {
            let first = scanner.position
            while scanner.position < scanner.bytes.count,
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(scanner.bytes[scanner.position])
            {
                scanner.position += 1
            }
            return scanner.position - first
        }
        func takeAny(_ scanner: inout JSONScanner, _ choices: [Unicode.Scalar]) -> Bool {
            guard scanner.position < scanner.bytes.count,
                choices.contains(Unicode.Scalar(scanner.bytes[scanner.position]))
            else { return false }
            scanner.position += 1
            return true
        }
        _ = takeAny(&self, ["-"])
        let leadsWithZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
        let whole = digits(&self)
        guard whole > 0 else {
            position = start
            try refuseNonFiniteNumber()
            _ = takeAny(&self, ["-"])
            throw unexpected("a value")
        }
        guard whole == 1 || !leadsWithZero else { throw error("a number has a leading zero") }
        if takeAny(&self, ["."]), digits(&self) == 0 { throw unexpected("a digit") }
        if takeAny(&self, ["e", "E"]) {
            _ = takeAny(&self, ["+", "-"])
            guard digits(&self) > 0 else { throw unexpected("a digit") }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Reads an integer that fits an `Int`.
    package mutating func integer() throws -> Int {
        let text = try numberText()
        guard let value = Int(text) else { throw error("expected a 64-bit whole number, found \(text.prefix(40))") }
        return value
    }

    /// Reads a string and resolves its escape sequences.
    package mutating func string() throws -> String {
        try expect("\"")
        var text: [UInt8] = []
        var start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let rest = bytes[start..<position]
                // most strings have no escape sequence and are copied in one piece
                let string =
                    text.isEmpty ? String(validating: rest, as: UTF8.self) : String(validating: text + rest, as: UTF8.self)
                guard let string else { throw error("a string is not valid UTF-8") }
                position += 1
                return string
            case UInt8(ascii: "\\"):
                text += bytes[start..<position]
                position += 1
                text += try Array(String(escape()).utf8)
                start = position
            case 0..<0x20:
                throw error("a string has an unescaped control character")
            default:
                position += 1
            }
        }
        throw error("the text ends inside a string")
    }

    /// Reads an escape sequence after its backslash.
    private mutating func escape() throws -> Unicode.Scalar {
        guard position < bytes.count else { throw error("the text ends inside a string") }
        let byte = bytes[position]
        let backslash = position - 1
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            func half(_ scanner: inout JSONScanner) -> JSONError {
                scanner.position = backslash
                return scanner.error("an unpaired surrogate (a \\u escape for half a character)")
            }
            var code = try fourHexDigits()
            if (0xD800..<0xDC00).contains(code), bytes[position...].starts(with: [0x5C, 0x75]) {
                position += 2
                let low = try fourHexDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw half(&self) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw half(&self) }
            return scalar
        default:
            throw error("a string has an unknown escape")
        }
    }

    private mutating func fourHexDigits() throws -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw error("expected four hexadecimal digits") }
        position += 4
        return code
    }
}

extension JSONScanner {
    /// Skips any value, including `NaN` and infinities.
    package mutating func skipValue() throws {
        if nonFiniteNumber() != nil { return }
        switch peek() {
        case UInt8(ascii: "{"): try object { try $1.skipValue() }
        case UInt8(ascii: "["): try array { try $0.skipValue() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): _ = try numberText()
        default: _ = try word()
        }
    }
}
