/// The character classes that tokenizer patterns use.
///
/// Each class has the Unicode version of the table that Hugging Face `tokenizers` uses for it. Characters added in
/// later versions are in none of the classes, because models were trained with words that were split accordingly. The
/// classes have been verified for every scalar.
package struct UnicodeClass: OptionSet, Sendable {
    /// The bits of the classes.
    package let rawValue: UInt8

    /// Creates a set of classes from its bits.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// General category L of Unicode 16: `\p{L}`.
    package static let letter = UnicodeClass(rawValue: 1)
    /// General category N of Unicode 16: `\p{N}`.
    package static let number = UnicodeClass(rawValue: 2)
    /// The White_Space property: `\s`.
    package static let space = UnicodeClass(rawValue: 4)
    /// General category P of Unicode 8, or an ASCII symbol.
    package static let punctuation = UnicodeClass(rawValue: 8)
    /// General category Mn of Unicode 8.
    package static let nonspacingMark = UnicodeClass(rawValue: 16)
    /// `\w` of UTS #18 in Unicode 16: Alphabetic, M, Nd, Pc and Join_Control.
    package static let word = UnicodeClass(rawValue: 32)
    /// General categories Cc, Cf and Co of Unicode 8: what BERT's cleaning removes, except that tab, newline and
    /// carriage return are also in this class.
    package static let control = UnicodeClass(rawValue: 64)
    /// General category M of Unicode 9.
    package static let mark = UnicodeClass(rawValue: 128)

    /// The classes of a scalar value.
    @inline(__always)
    package static func of(_ scalar: UInt32) -> UnicodeClass {
        scalar < 0x10000 ? UnicodeClass(rawValue: basicPlane[Int(scalar)]) : computed(scalar)
    }

    /// The classes of the basic plane, computed once from the standard library's properties.
    static let basicPlane: [UInt8] = (0..<0x10000).map { computed($0).rawValue }

    /// The classes of a scalar value, from the standard library's properties.
    private static func computed(_ value: UInt32) -> UnicodeClass {
        guard let scalar = Unicode.Scalar(value) else { return [] }
        let properties = scalar.properties
        var result: UnicodeClass = []
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: result = .letter
        case .decimalNumber: result = [.number, .word]
        case .letterNumber, .otherNumber: result = .number
        case .nonspacingMark: result = [.nonspacingMark, .mark, .word]
        case .spacingMark, .enclosingMark: result = [.mark, .word]
        case .connectorPunctuation: result = [.punctuation, .word]
        case .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation:
            result = .punctuation
        case .control, .format, .privateUse: result = .control
        default: break
        }
        if properties.isWhitespace { result.insert(.space) }
        if properties.isAlphabetic || properties.isJoinControl { result.insert(.word) }
        if value < 0x80, (0x21...0x7E).contains(value), result.isDisjoint(with: [.letter, .number]) {
            result.insert(.punctuation)
        }
        let version = properties.age.map { $0.minor == 0 ? $0.major : $0.major + 1 } ?? .max
        if version > 8 { result.subtract([.punctuation, .nonspacingMark, .control]) }
        if version > 9 { result.remove(.mark) }
        if version > 16 { result.subtract([.letter, .number, .word]) }
        // Characters whose category changed after those versions.
        switch value {
        case 0x166D: result.insert(.punctuation)
        case 0x111C9:
            result.insert(.punctuation)
            result.subtract([.nonspacingMark, .mark])
        case 0x1734, 0x1171E: result.insert(.nonspacingMark)
        case 0x1885, 0x1886, 0xA9BD: result.remove(.nonspacingMark)
        case 0x1CF2, 0x1CF3: result.insert(.mark)
        default: break
        }
        return result
    }
}
