/// Which scalars are one where case does not matter.
enum CaseFolding {
    /// A set with all other cases of its members.
    static func closure(of set: CharacterSet) -> CharacterSet {
        var others: [UInt32] = []
        for family in families where family.contains(where: { set.contains($0) }) { others += family }
        return set.union(CharacterSet(others))
    }

    /// Whether a scalar is several scalars in another case, as ß is.
    static func becomesSeveral(_ value: UInt32) -> Bool {
        guard value >= 0x80, let properties = Unicode.Scalar(value)?.properties else { return false }
        return [properties.uppercaseMapping, properties.lowercaseMapping, properties.titlecaseMapping]
            .contains { $0.unicodeScalars.count > 1 }
    }

    /// The scalars that fold to one, where there are several.
    private static let families: [[UInt32]] = {
        var families: [UInt32: [UInt32]] = [:]
        for value in UInt32(0x41)..<0x1E944 {
            // the dotless i has no other case in any language but a few
            guard let properties = Unicode.Scalar(value)?.properties, value != 0x131,
                properties.changesWhenCaseMapped || properties.isLowercase || properties.isUppercase
            else { continue }
            families[fold(value), default: []].append(value)
        }
        return families.values.filter { $0.count > 1 }
    }()

    private static func fold(_ value: UInt32) -> UInt32 {
        func single(_ value: UInt32, _ mapping: (Unicode.Scalar.Properties) -> String) -> UInt32 {
            guard let scalar = Unicode.Scalar(value) else { return value }
            let mapped = mapping(scalar.properties).unicodeScalars
            return mapped.count == 1 ? mapped.first?.value ?? value : value
        }
        return single(single(value) { $0.uppercaseMapping }) { $0.lowercaseMapping }
    }
}
