extension PatternParser {
    /// The meaning of an escape sequence.
    enum Escaped {
        case single(UInt32)
        case set(CharacterSet)
    }

    /// Parses what follows a backslash, inside or outside brackets.
    mutating func escaped(inBrackets: Bool = false) throws -> Escaped {
        let scalar = try next()
        func category(_ set: CharacterSet, _ letter: Unicode.Scalar) -> Escaped { .set(scalar == letter ? set : set.inverted) }
        switch scalar {
        case "n": return .single(0x0A)
        case "r": return .single(0x0D)
        case "t": return .single(0x09)
        case "f": return .single(0x0C)
        case "v": return .single(0x0B)
        case "a": return .single(0x07)
        case "e": return .single(0x1B)
        case "s", "S": return category(CharacterProperty.space, "s")
        case "w", "W": return category(inBrackets ? CharacterProperty.posixWord : CharacterProperty.word, "w")
        case "d", "D": return category(CharacterProperty.digit, "d")
        case "h", "H": return category(CharacterProperty.hexadecimal, "h")
        case "u": return .single(try hexadecimal(4))
        case "x":
            if take("{") {
                var digits = 0
                while position + digits < scalars.count, scalars[position + digits] != "}" { digits += 1 }
                guard digits <= 8 else { throw Self.unsupported("more than one character in \\x{…}") }
                let value = try hexadecimal(digits)
                guard take("}") else { throw Self.malformed("missing }") }
                return .single(value)
            }
            var digits = 0
            while digits < 2, position + digits < scalars.count, scalars[position + digits].properties.isASCIIHexDigit { digits += 1 }
            let value = try hexadecimal(digits)
            guard value < 0x80 else { throw Self.unsupported("a byte beyond ASCII (\\x\(String(value, radix: 16)))") }
            return .single(value)
        case "p", "P":
            guard take("{") else { throw Self.unsupported("\\\(scalar) without braces") }
            var isNegated = scalar == "P"
            if take("^") { isNegated.toggle() }
            var name = ""
            while true {
                let letter = try next()
                if letter == "}" { break }
                name.unicodeScalars.append(letter)
            }
            guard name.utf8.count < 60, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || " _-".contains($0)) }),
                let set = CharacterProperty.named(name)
            else { throw Self.unsupported("the property \\\(scalar){\(name.prefix(40))}") }
            return .set(isNegated ? set.inverted : set)
        default:
            // other ASCII letters and digits have special meanings that are not supported
            guard !scalar.isASCII || !scalar.properties.isAlphabetic && !("0"..."9").contains(scalar) else {
                throw Self.unsupported("\\\(scalar)")
            }
            return .single(scalar.value)
        }
    }

    /// Parses a hexadecimal number of `count` digits as a scalar value.
    private mutating func hexadecimal(_ count: Int) throws -> UInt32 {
        guard count > 0, position + count <= scalars.count else { throw Self.malformed("a character number without digits") }
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars[position..<position + count])
        guard text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }), let value = UInt32(text, radix: 16),
            Unicode.Scalar(value) != nil
        else { throw Self.malformed("\(text) is not the number of a character") }
        position += count
        return value
    }

    // MARK: Sets

    /// Parses a set after its opening bracket, including nested sets and intersections (`&&`).
    mutating func bracket(depth: Int = 0) throws -> CharacterSet {
        guard depth < 20 else { throw Self.unsupported("sets nested more than 20 deep") }
        let isNegated = take("^")
        if position < scalars.count, scalars[position] == "]" { throw Self.unsupported("an empty set") }
        var common: CharacterSet?
        var ranges: [ClosedRange<UInt32>] = []
        var isEmpty = true
        func joined() -> CharacterSet {
            let set = CharacterSet(ranges)
            return common?.intersection(set) ?? set
        }
        while !take("]") {
            if take("&&") {
                guard !isEmpty else { throw Self.unsupported("&& with nothing before it") }
                common = joined()
                ranges = []
                isEmpty = true
                continue
            }
            isEmpty = false
            ranges += try member(depth: depth).ranges
        }
        guard !isEmpty else { throw Self.unsupported("&& with nothing after it") }
        let set = try folded(joined())
        return isNegated ? set.inverted : set
    }

    /// Parses a member of a set: a character, a range, a category, or a nested set.
    private mutating func member(depth: Int) throws -> CharacterSet {
        if take("[:") { return try posix() }
        if take("[") { return try bracket(depth: depth + 1) }
        guard let first = try single() else { return lastSet }
        guard position + 1 < scalars.count, scalars[position] == "-", scalars[position + 1] != "]" else {
            return CharacterSet([first])
        }
        position += 1
        if scalars[position] == "[" || scalars[position...].starts(with: "&&".unicodeScalars) {
            throw Self.unsupported("a range that ends in a set")
        }
        guard let last = try single() else { throw Self.unsupported("a range that ends in a category") }
        guard first <= last else { throw Self.malformed("a range whose bounds are in the wrong order") }
        return CharacterSet([first...last])
    }

    /// Parses a character; nil if it is a category, which is then stored in ``lastSet``.
    private mutating func single() throws -> UInt32? {
        let scalar = try next()
        guard scalar == "\\" else { return scalar.value }
        if take("b") { return 0x08 }
        switch try escaped(inBrackets: true) {
        case .single(let value): return value
        case .set(let set):
            lastSet = set
            return nil
        }
    }

    /// Parses a POSIX class after `[:`.
    private mutating func posix() throws -> CharacterSet {
        let isNegated = take("^")
        var name = ""
        while !take(":]") {
            name.unicodeScalars.append(try next())
            if name.utf8.count > 20 { throw Self.unsupported("a colon after a bracket in a set") }
        }
        guard let set = name == "punct" ? CharacterProperty.punctuation : CharacterProperty.posix(name) else {
            throw Self.malformed("unknown class [:\(name):]")
        }
        return isNegated ? set.inverted : set
    }
}
