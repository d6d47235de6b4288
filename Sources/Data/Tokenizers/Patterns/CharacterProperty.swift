import Foundation

/// The character properties and classes of expressions, as of Unicode 16, defined as in Oniguruma, which Hugging Face
/// `tokenizers` uses.
enum CharacterProperty {
    static let space = of(general: ["Zs", "Zl", "Zp"]).union(CharacterSet([0x09...0x0D, 0x85...0x85]))
    static let digit = of(general: ["Nd"])
    static let alphabetic = binary { $0.isAlphabetic }
    /// `\w`. Oniguruma includes ², ³, ¹ and the vulgar fractions of Latin-1, but not in brackets.
    static let word = posixWord.union(CharacterSet([0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE]))
    static let hexadecimal = CharacterSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    /// `[\w]` and `[[:word:]]`.
    static let posixWord = alphabetic.union(of(general: ["Mn", "Mc", "Me", "Nd", "Pc"]))

    /// The set that `\p{…}` names; nil if it is unknown. Case, spaces, hyphens and underscores are ignored.
    static func named(_ name: String) -> CharacterSet? {
        let name = String(name.lowercased().filter { !" _-".contains($0) })
        if let set = posix(name) { return set }
        let category = longNames[name] ?? name
        if category == "lc" { return of(general: ["Lu", "Ll", "Lt"]) }
        if category == "any" { return .all }
        if category == "assigned" { return of(general: ["Cn"]).inverted }
        if category.utf8.count <= 2 {
            let members = names.filter { $0.lowercased() == category || $0.prefix(1).lowercased() == category }
            return members.isEmpty ? nil : of(general: members)
        }
        switch name {
        case "alphabetic": return alphabetic
        case "whitespace": return space
        case "uppercase": return binary { $0.isUppercase }
        case "lowercase": return binary { $0.isLowercase }
        case "emoji", "emojipresentation", "emojimodifier", "emojimodifierbase", "emojicomponent", "extendedpictographic", "ideographic",
            "cased", "caseignorable", "dash", "diacritic", "extender", "hexdigit", "idstart", "idcontinue", "xidstart", "xidcontinue",
            "math",
            "quotationmark", "radical", "unifiedideograph", "variationselector", "defaultignorablecodepoint":
            return foundation(name)
        // script names, long and short; other names that Foundation knows could have another meaning in Oniguruma
        default: return foundation("Script=" + name)
        }
    }

    /// The set that `[[:…:]]` names; `\p{…}` accepts these names too.
    static func posix(_ name: String) -> CharacterSet? {
        switch name {
        case "alpha": alphabetic
        case "digit": digit
        case "alnum": alphabetic.union(digit)
        case "upper": binary { $0.isUppercase }
        case "lower": binary { $0.isLowercase }
        case "space": space
        case "blank": of(general: ["Zs"]).union(CharacterSet([0x09]))
        case "cntrl": of(general: ["Cc"])
        case "xdigit": hexadecimal
        case "word": posixWord
        case "ascii": CharacterSet([0...0x7F])
        case "graph": graph
        case "print": graph.union(of(general: ["Zs"]))
        default: nil
        }
    }

    private static var graph: CharacterSet { space.union(of(general: ["Cc", "Cn", "Cs"])).inverted }

    /// The set of `[[:punct:]]`. (`\p{Punct}` is only the category P.)
    static var punctuation: CharacterSet { of(general: names.filter { "PS".contains($0.prefix(1)) }) }

    // MARK: Categories

    private static let names = [
        "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk",
        "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs",
    ]

    private static let longNames = [
        "letter": "l", "mark": "m", "combiningmark": "m", "number": "n", "punctuation": "p", "punct": "p", "symbol": "s", "separator": "z",
        "other": "c", "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt", "modifierletter": "lm",
        "otherletter": "lo",
        "casedletter": "lc", "nonspacingmark": "mn", "spacingmark": "mc", "enclosingmark": "me", "decimalnumber": "nd",
        "letternumber": "nl", "othernumber": "no", "connectorpunctuation": "pc", "dashpunctuation": "pd", "openpunctuation": "ps",
        "closepunctuation": "pe", "initialpunctuation": "pi", "finalpunctuation": "pf", "otherpunctuation": "po", "mathsymbol": "sm",
        "currencysymbol": "sc", "modifiersymbol": "sk", "othersymbol": "so", "spaceseparator": "zs", "lineseparator": "zl",
        "paragraphseparator": "zp", "control": "cc", "format": "cf", "privateuse": "co", "surrogate": "cs", "unassigned": "cn",
    ]

    /// The scalars of each general category.
    private static let categories: [String: CharacterSet] = {
        var ranges: [UInt8: [ClosedRange<UInt32>]] = [:]
        var start: UInt32 = 0
        var kind = index(of: 0)
        for value in 1...CharacterSet.last + 1 {
            let next = value > CharacterSet.last ? .max : index(of: value)
            if next == kind { continue }
            ranges[kind, default: []].append(start...value - 1)
            (start, kind) = (value, next)
        }
        var categories: [String: CharacterSet] = [:]
        for (kind, ranges) in ranges { categories[names[Int(kind)]] = CharacterSet(ranges) }
        return categories
    }()

    /// The union of general categories.
    private static func of(general members: [String]) -> CharacterSet {
        CharacterSet(members.flatMap { categories[$0]?.ranges ?? [] })
    }

    /// The index of a scalar's category in ``names``.
    private static func index(of value: UInt32) -> UInt8 {
        if isEmptyPlane(value) { return value >= 0xF0000 && value & 0xFFFF < 0xFFFE ? 28 : 0 }
        guard let properties = Unicode.Scalar(value)?.properties else { return 29 }
        if let age = properties.age, age.major > 16 { return 0 }
        return switch properties.generalCategory {
        case .uppercaseLetter: 1
        case .lowercaseLetter: 2
        case .titlecaseLetter: 3
        case .modifierLetter: 4
        case .otherLetter: 5
        case .nonspacingMark: 6
        case .spacingMark: 7
        case .enclosingMark: 8
        case .decimalNumber: 9
        case .letterNumber: 10
        case .otherNumber: 11
        case .connectorPunctuation: 12
        case .dashPunctuation: 13
        case .openPunctuation: 14
        case .closePunctuation: 15
        case .initialPunctuation: 16
        case .finalPunctuation: 17
        case .otherPunctuation: 18
        case .mathSymbol: 19
        case .currencySymbol: 20
        case .modifierSymbol: 21
        case .otherSymbol: 22
        case .spaceSeparator: 23
        case .lineSeparator: 24
        case .paragraphSeparator: 25
        case .control: 26
        case .format: 27
        case .privateUse: 28
        case .surrogate: 29
        case .unassigned: 0
        @unknown default: 0
        }
    }

    /// Whether a scalar is in a range with no assigned characters except private use.
    private static func isEmptyPlane(_ value: UInt32) -> Bool {
        (0x40000..<0xE0000).contains(value) || value >= 0xF0000
    }

    /// The scalars up to Unicode 16 that pass a test.
    private static func binary(_ test: (Unicode.Scalar.Properties) -> Bool) -> CharacterSet {
        CharacterSet(below: 0x40000) { value in
            guard let properties = Unicode.Scalar(value)?.properties, test(properties) else { return false }
            return (properties.age?.major ?? 0) <= 16
        }
    }

    /// The scalars that a property in Foundation's expressions matches; nil if there is no such property.
    ///
    /// - Parameters:
    ///   - property: The property.
    ///   - scalars: The scalars to test.
    static func foundation(_ property: String, among scalars: CharacterSet = .all) -> CharacterSet? {
        guard let expression = try? NSRegularExpression(pattern: "[\\p{\(property)}]+") else { return nil }
        var text = String.UnicodeScalarView()
        /// The start of each range in UTF-16, and its first scalar; split at plane boundaries.
        var places: [(unit: Int, first: UInt32)] = []
        var units = 0
        for range in scalars.ranges {
            for value in range {
                guard let scalar = Unicode.Scalar(value) else { continue }
                if value == range.lowerBound || value == 0xE000 || value == 0x10000 { places.append((units, value)) }
                text.append(scalar)
                units += value < 0x10000 ? 1 : 2
            }
        }
        /// The scalar at a UTF-16 position of the text.
        func scalar(at unit: Int) -> UInt32 {
            var (low, high) = (0, places.count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if places[middle].unit <= unit { low = middle } else { high = middle }
            }
            let (start, first) = places[low]
            return first + UInt32(unit - start) / (first < 0x10000 ? 1 : 2)
        }
        var ranges: [ClosedRange<UInt32>] = []
        expression.enumerateMatches(in: String(text), range: NSRange(location: 0, length: units)) { match, _, _ in
            guard let range = match?.range, range.length > 0 else { return }
            ranges.append(scalar(at: range.location)...scalar(at: range.location + range.length - 1))
        }
        // a match may extend across the gap between two ranges
        return CharacterSet(ranges).intersection(scalars)
    }
}
