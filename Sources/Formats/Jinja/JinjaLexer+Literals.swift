/// Lexing of number and string literals with Python's syntax.
extension JinjaLexer {
    mutating func number() throws {
        var index = position
        func digits(_ isDigit: (Unicode.Scalar) -> Bool) -> Bool {
            let first = index
            while index < source.count {
                if isDigit(source[index]) {
                    index += 1
                } else if source[index] == "_", index > first, index + 1 < source.count, isDigit(source[index + 1]) {
                    index += 1
                } else {
                    break
                }
            }
            return index > first
        }
        func isDecimal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
        if source[index] == "0", index + 1 < source.count,
            let radix = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2][String(source[index + 1])]
        {
            index += 2
            func isDigit(_ scalar: Unicode.Scalar) -> Bool {
                scalar.isASCII && (Character(scalar).hexDigitValue ?? 99) < radix
            }
            if digits(isDigit) {
                let text = PythonText.string(source[(position + 2)..<index]).filter { $0 != "_" }
                guard let value = Int(text, radix: radix) else { throw tooLarge(text) }
                add(.integer(value))
                move(to: index)
                return
            }
            index = position
        }
        _ = digits(isDecimal)
        var isFloat = false
        let whole = index
        // after a dot, digits are an index (`a.0`), not part of a float
        if !(position > 0 && source[position - 1] == ".") {
            if has(".", at: index), index + 1 < source.count, isDecimal(source[index + 1]) {
                index += 1
                isFloat = digits(isDecimal)
            }
            let mantissa = index
            if has("e", at: index) || has("E", at: index) {
                index += 1
                if has("+", at: index) || has("-", at: index) { index += 1 }
                if digits(isDecimal) { isFloat = true } else { index = mantissa }
            }
        }
        let text = PythonText.string(source[position..<index]).filter { $0 != "_" }
        if isFloat {
            add(.float(Double(text) ?? .infinity))
        } else {
            index = whole
            guard text == "0" || !text.hasPrefix("0") || text.allSatisfy({ $0 == "0" }) else {
                throw JinjaError(.syntax, line: line, "a number has a leading zero")
            }
            guard let value = Int(text) else { throw tooLarge(text) }
            add(.integer(value))
        }
        move(to: index)
    }

    private func tooLarge(_ text: String) -> JinjaError {
        JinjaError(.unsupported, line: line, "the number \(text.prefix(40)) does not fit into 64 bits")
    }

    mutating func string(quote: Unicode.Scalar) throws {
        var text = String.UnicodeScalarView()
        var index = position + 1
        while index < source.count, source[index] != quote {
            if source[index] == "\\" {
                index += 1
                index = try escape(at: index, into: &text)
            } else {
                text.append(source[index])
                index += 1
            }
        }
        guard index < source.count else { throw JinjaError(.syntax, line: line, "an unterminated string") }
        add(.string(String(text)))
        move(to: index + 1)
    }

    /// Reads the escape sequence after a backslash, with Python's rules.
    private func escape(at index: Int, into text: inout String.UnicodeScalarView) throws -> Int {
        guard index < source.count else { throw JinjaError(.syntax, line: line, "an unterminated string") }
        func hexadecimal(_ count: Int) throws -> Int {
            let digits = source[(index + 1)..<min(source.count, index + 1 + count)]
            guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
                let scalar = UInt32(PythonText.string(digits), radix: 16).flatMap(Unicode.Scalar.init)
            else { throw JinjaError(.syntax, line: line, "an escape in a string is not a valid character") }
            text.append(scalar)
            return index + 1 + count
        }
        let scalar = source[index]
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}",
        ]
        switch scalar {
        case _ where simple[scalar] != nil: text.append(simple[scalar] ?? scalar)
        case "\n": break
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        case "U": return try hexadecimal(8)
        case "N": throw JinjaError(.unsupported, line: line, "named characters (\\N{…}) in strings are not supported")
        case "0"..."7":
            var end = index
            var value: UInt32 = 0
            while end < source.count, end < index + 3, ("0"..."7").contains(source[end]) {
                value = value * 8 + source[end].value - 48
                end += 1
            }
            if let scalar = Unicode.Scalar(value) { text.append(scalar) }
            return end
        default:
            text.append("\\")
            text.append(scalar)
        }
        return index + 1
    }
}
