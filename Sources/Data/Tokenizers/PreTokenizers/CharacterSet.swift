/// A set of characters in an expression: ranges, categories, or what is in neither.
struct CharacterSet: Sendable, Equatable {
    /// A part of a set.
    enum Element: Sendable, Equatable {
        case range(ClosedRange<UInt32>)
        /// A class as `\p{L}` or `\s`, or its complement.
        case category(CharacterCategory, isNegated: Bool)
    }

    /// One bit for each scalar of the basic plane.
    private let basicPlane: [UInt64]
    private let elements: [Element]
    private let isNegated: Bool

    init(_ elements: [Element], isNegated: Bool = false) {
        self.elements = elements
        self.isNegated = isNegated
        var bits = [UInt64](repeating: 0, count: 0x10000 / 64)
        for element in elements {
            switch element {
            case .range(let range):
                for word in stride(from: Int(range.lowerBound >> 6), through: Int(min(range.upperBound, 0xFFFF) >> 6), by: 1) {
                    let first = max(Int(range.lowerBound) - word * 64, 0)
                    let last = min(Int(range.upperBound) - word * 64, 63)
                    bits[word] |= (UInt64.max << UInt64(first)) & (UInt64.max >> UInt64(63 - last))
                }
            case .category(let category, let isNegated):
                let plane = CharacterCategory.basicPlanes[category] ?? []
                for (word, members) in plane.enumerated() { bits[word] |= isNegated ? ~members : members }
            }
        }
        if isNegated { for word in bits.indices { bits[word] = ~bits[word] } }
        basicPlane = bits
    }

    /// A set of single characters.
    init(_ scalars: [UInt32]) {
        self.init(scalars.map { .range($0...$0) })
    }

    @inline(__always)
    func contains(_ value: UInt32) -> Bool {
        if value < 0x10000 { return basicPlane[Int(value >> 6)] >> (value & 63) & 1 != 0 }
        return elements.contains { $0.contains(value) } != isNegated
    }
}

extension CharacterSet.Element {
    fileprivate func contains(_ value: UInt32) -> Bool {
        switch self {
        case .range(let range): range.contains(value)
        case .category(let category, let isNegated): category.contains(value) != isNegated
        }
    }
}

/// A class of characters that expressions name.
enum CharacterCategory: Sendable, Hashable {
    case space, word, digit
    /// General categories that begin with a letter, or a single one: `L`, `Lu`.
    case general(String)

    /// The category of a name in `\p{…}`; nil if it is not known (scripts and blocks are not).
    init?(named name: String) {
        guard Self.names.contains(where: { $0 == name || $0.prefix(1) == name }) else { return nil }
        self = .general(name)
    }

    func contains(_ value: UInt32) -> Bool {
        switch self {
        case .space: UnicodeClass.of(value).contains(.space)
        case .word: UnicodeClass.of(value).contains(.word)
        case .digit: Self.name(of: value) == "Nd"
        case .general("L"): UnicodeClass.of(value).contains(.letter)
        case .general("N"): UnicodeClass.of(value).contains(.number)
        case .general(let name): Self.name(of: value).hasPrefix(name)
        }
    }

    /// One bit for each scalar of the basic plane in each category: a pattern may name them thousands of times.
    static let basicPlanes: [CharacterCategory: [UInt64]] = {
        var planes: [CharacterCategory: [UInt64]] = [:]
        func add(_ value: Int, to category: CharacterCategory) {
            planes[category, default: [UInt64](repeating: 0, count: 0x10000 / 64)][value >> 6] |= 1 << UInt64(value & 63)
        }
        for value in 0..<0x10000 {
            let classes = UnicodeClass.of(UInt32(value))
            if classes.contains(.space) { add(value, to: .space) }
            if classes.contains(.word) { add(value, to: .word) }
            if classes.contains(.letter) { add(value, to: .general("L")) }
            if classes.contains(.number) { add(value, to: .general("N")) }
            let name = name(of: UInt32(value))
            guard let letter = name.first else { continue }
            add(value, to: .general(name))
            if letter != "L", letter != "N" { add(value, to: .general(String(letter))) }
            if name == "Nd" { add(value, to: .digit) }
        }
        return planes
    }()

    private static let names = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk",
        "So", "Zs", "Zl", "Zp",
    ]

    /// The general category of Unicode 16, as the reference's expressions have it.
    private static func name(of value: UInt32) -> String {
        guard let properties = Unicode.Scalar(value)?.properties else { return "" }
        if let age = properties.age, age.major > 16 { return "" }
        return switch properties.generalCategory {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        default: ""
        }
    }
}
