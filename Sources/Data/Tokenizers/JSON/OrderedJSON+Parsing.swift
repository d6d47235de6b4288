extension OrderedJSON {
    /// Reads a JSON text (RFC 8259) from UTF-8 bytes.
    ///
    /// - Parameter file: The name to use in errors.
    /// - Throws: `TokenizerError.malformed` with the line of the first fault; invalid UTF-8, lone surrogates, nesting
    ///   deeper than 128 and anything after the value are faults.
    init(parsing bytes: [UInt8], file: String) throws {
        self = try bytes.withUnsafeBufferPointer { buffer in
            var parser = Parser(bytes: buffer, file: file)
            return try parser.document()
        }
    }

    private struct Parser {
        let bytes: UnsafeBufferPointer<UInt8>
        let file: String
        var position = 0
        var depth = 0

        init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
            self.bytes = bytes
            self.file = file
        }

        func fault(_ reason: String) -> TokenizerError {
            let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }
            return .malformed(file: file, line: line, reason: "not JSON: " + reason)
        }

        var current: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func document() throws -> OrderedJSON {
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
            let result = try value()
            skipSpace()
            if position < bytes.count { throw fault("text after the end of the value") }
            return result
        }

        mutating func skipSpace() {
            while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        }

        mutating func value() throws -> OrderedJSON {
            skipSpace()
            guard let byte = current else { throw fault("the text ends where a value was expected") }
            switch byte {
            case UInt8(ascii: "{"): return try nested { try $0.object() }
            case UInt8(ascii: "["): return try nested { try $0.list() }
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return try number()
            }
        }

        mutating func nested(_ body: (inout Parser) throws -> OrderedJSON) throws -> OrderedJSON {
            depth += 1
            if depth > 128 { throw fault("nested deeper than 128 levels") }
            defer { depth -= 1 }
            return try body(&self)
        }

        mutating func word(_ word: String, _ value: OrderedJSON) throws -> OrderedJSON {
            guard bytes[position...].starts(with: word.utf8) else { throw fault("expected \(word)") }
            position += word.utf8.count
            return value
        }

        mutating func object() throws -> OrderedJSON {
            position += 1
            var members: [Member] = []
            skipSpace()
            if current == UInt8(ascii: "}") {
                position += 1
                return .object(members)
            }
            while true {
                skipSpace()
                guard current == UInt8(ascii: "\"") else { throw fault("expected a key in quotes") }
                let key = try string()
                skipSpace()
                guard current == UInt8(ascii: ":") else { throw fault("expected a colon after the key") }
                position += 1
                members.append(Member(key: key, value: try value()))
                if try !another(before: UInt8(ascii: "}")) { return .object(members) }
            }
        }

        mutating func list() throws -> OrderedJSON {
            position += 1
            var elements: [OrderedJSON] = []
            skipSpace()
            if current == UInt8(ascii: "]") {
                position += 1
                return .array(elements)
            }
            while true {
                elements.append(try value())
                if try !another(before: UInt8(ascii: "]")) { return .array(elements) }
            }
        }

        /// Steps over a comma (true) or the closing bracket (false).
        mutating func another(before close: UInt8) throws -> Bool {
            skipSpace()
            guard let byte = current, byte == UInt8(ascii: ",") || byte == close else {
                throw fault("expected a comma or a closing bracket")
            }
            position += 1
            return byte != close
        }

        mutating func number() throws -> OrderedJSON {
            let start = position
            while let byte = current,
                (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
            { position += 1 }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            guard let first = text.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else {
                throw fault("expected a value")
            }
            if let integer = Int(text) { return .integer(integer) }
            guard let number = Double(text), number.isFinite else { throw fault("\"\(text)\" is no number") }
            return .number(number)
        }

        mutating func string() throws -> String {
            position += 1
            let start = position
            // Most strings have no escape: copy them in one piece.
            while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            if current == UInt8(ascii: "\"") {
                guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
                    throw fault("a string is not UTF-8")
                }
                position += 1
                return text
            }
            var content = Array(bytes[start..<position])
            while true {
                guard let byte = current else { throw fault("the text ends inside a string") }
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let text = String(validating: content, as: UTF8.self) else {
                        throw fault("a string is not UTF-8")
                    }
                    return text
                case UInt8(ascii: "\\"): try escape(into: &content)
                case ..<0x20: throw fault("a control character inside a string")
                default: content.append(byte)
                }
            }
        }

        mutating func escape(into content: inout [UInt8]) throws {
            guard let byte = current else { throw fault("the text ends inside a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
            case UInt8(ascii: "b"): content.append(0x08)
            case UInt8(ascii: "f"): content.append(0x0C)
            case UInt8(ascii: "n"): content.append(0x0A)
            case UInt8(ascii: "r"): content.append(0x0D)
            case UInt8(ascii: "t"): content.append(0x09)
            case UInt8(ascii: "u"):
                var code = try hexadecimal()
                if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                {
                    position += 2
                    let low = try hexadecimal()
                    guard (0xDC00..<0xE000).contains(low) else { throw fault("a lone surrogate in a string") }
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw fault("a lone surrogate in a string") }
                content.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            default: throw fault("an unknown escape in a string")
            }
        }

        mutating func hexadecimal() throws -> UInt32 {
            var code: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                    throw fault("expected four hexadecimal digits")
                }
                code = code << 4 | UInt32(digit)
                position += 1
            }
            return code
        }
    }
}
