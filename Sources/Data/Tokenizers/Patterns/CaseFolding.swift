/// Case-insensitive equivalence of scalars.
enum CaseFolding {
    /// The set with all case variants of its members.
    static func closure(of set: CharacterSet) -> CharacterSet {
        var others: [UInt32] = []
        for family in families where family.contains(where: { set.contains($0) }) { others += family }
        return set.union(CharacterSet(others))
    }

    /// Whether another case of a scalar consists of several scalars, as for ß.
    static func becomesSeveral(_ value: UInt32) -> Bool {
        guard value >= 0x80, let properties = Unicode.Scalar(value)?.properties else { return false }
        return [properties.uppercaseMapping, properties.lowercaseMapping, properties.titlecaseMapping]
            .contains { $0.unicodeScalars.count > 1 }
    }

    /// The groups of scalars that fold to the same scalar.
    private static let families: [[UInt32]] = {
        var families: [UInt32: [UInt32]] = [:]
        for value in UInt32(0x41)..<0x1E944 {
            // the dotless i has no case variants except in a few languages
            guard let properties = Unicode.Scalar(value)?.properties, value != 0x131,
                properties.changesWhenCaseMapped || properties.isLowercase || properties.isUppercase
            else { continue }
            families[fold(value), default: []].append(value)
        }
        return families.values.filter { $0.count > 1 }
    }()

    /// The simple case folding of a scalar.
    private static func fold(_ value: UInt32) -> UInt32 {
        func single(_ value: UInt32, _ mapping: (Unicode.Scalar.Properties) -> String) -> UInt32 {
            guard let scalar = Unicode.Scalar(value) else { return value }
            let mapped = mapping(scalar.properties).unicodeScalars
            return mapped.count == 1 ? mapped.first?.value ?? value : value
        }
        return single(single(value) { $0.uppercaseMapping }) { $0.lowercaseMapping }
    }
}
