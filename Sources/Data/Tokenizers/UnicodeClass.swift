/// What the tokenizers' patterns ask about a scalar.
struct UnicodeClass: OptionSet, Sendable {
    let rawValue: UInt8

    /// General category L: `\p{L}`.
    static let letter = UnicodeClass(rawValue: 1)
    /// General category N: `\p{N}`.
    static let number = UnicodeClass(rawValue: 2)
    /// The White_Space property: `\s`.
    static let space = UnicodeClass(rawValue: 4)
    /// General category P, or an ASCII symbol.
    static let punctuation = UnicodeClass(rawValue: 8)
    /// General category Mn.
    static let nonspacingMark = UnicodeClass(rawValue: 16)
    /// `\w` of UTS #18: Alphabetic, M, Nd, Pc and Join_Control.
    static let word = UnicodeClass(rawValue: 32)
    /// General categories Cc, Cf and Co: what BERT's cleaning removes, tab, newline and carriage return included.
    static let control = UnicodeClass(rawValue: 64)

    /// The classes of a scalar value.
    @inline(__always)
    static func of(_ scalar: UInt32) -> UnicodeClass {
        scalar < 0x10000 ? UnicodeClass(rawValue: basicPlane[Int(scalar)]) : computed(scalar)
    }

    /// The classes of the basic plane, computed once from the standard library's properties.
    static let basicPlane: [UInt8] = (0..<0x10000).map { computed($0).rawValue }

    private static func computed(_ value: UInt32) -> UnicodeClass {
        guard let scalar = Unicode.Scalar(value) else { return [] }
        let properties = scalar.properties
        var result: UnicodeClass = []
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: result.insert(.letter)
        case .decimalNumber: result.insert([.number, .word])
        case .letterNumber, .otherNumber: result.insert(.number)
        case .nonspacingMark: result.insert([.nonspacingMark, .word])
        case .spacingMark, .enclosingMark: result.insert(.word)
        case .connectorPunctuation: result.insert([.punctuation, .word])
        case .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation:
            result.insert(.punctuation)
        case .control, .format, .privateUse: result.insert(.control)
        default: break
        }
        if properties.isWhitespace { result.insert(.space) }
        if properties.isAlphabetic || properties.isJoinControl { result.insert(.word) }
        if value < 0x80, (0x21...0x7E).contains(value), !result.contains(.letter), !result.contains(.number) {
            result.insert(.punctuation)
        }
        return result
    }
}

/// Reading of scalars from UTF-8 bytes that may be malformed.
enum UTF8Scan {
    /// The scalar at `index` and its length; a byte that begins no valid sequence reads as U+FFFD of length 1.
    @inline(__always)
    static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> (value: UInt32, length: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        return multibyte(bytes, index, first)
    }

    private static func multibyte(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: Int, _ first: UInt8
    ) -> (value: UInt32, length: Int) {
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first < 0xF5, index + length <= bytes.count else { return (0xFFFD, 1) }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            let byte = bytes[index + offset]
            guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        let overlong = length == 3 && value < 0x800 || length == 4 && value < 0x10000
        guard !overlong, value <= 0x10FFFF, !(0xD800..<0xE000).contains(value) else { return (0xFFFD, 1) }
        return (value, length)
    }

    /// The scalar that ends before `index` (which must be greater than 0) and its length.
    static func scalarBefore(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> (value: UInt32, length: Int) {
        var start = index - 1
        while start > 0, index - start < 4, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        let (value, length) = scalar(bytes, start)
        return start + length == index ? (value, length) : (0xFFFD, 1)
    }
}

extension Array where Element == UInt8 {
    /// Appends the UTF-8 form of a scalar value; what is no scalar is appended as U+FFFD.
    @inline(__always)
    mutating func append(scalar value: UInt32) {
        if value < 0x80 {
            append(UInt8(value))
        } else {
            append(contentsOf: UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
        }
    }
}
