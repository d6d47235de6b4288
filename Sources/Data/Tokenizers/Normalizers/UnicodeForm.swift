/// The normalization forms of Unicode Standard Annex #15: NFC, NFD, NFKC and NFKD.
///
/// The data are those of Unicode 9, as in Hugging Face `tokenizers`; characters added later are not changed.
enum UnicodeForm: Int, Sendable, CaseIterable {
    /// NFC, NFD, NFKC and NFKD, in this order.
    case composed, decomposed, compatibilityComposed, compatibilityDecomposed

    /// Normalises a text in place.
    ///
    /// Most scalars neither change nor interact with their neighbours. Only runs of other scalars, each with the scalar
    /// before it, are decomposed, reordered and composed.
    func apply(to text: inout NormalizedText) {
        if text.bytes.allSatisfy({ $0 < 0x80 }) { return }
        let tables = CanonicalTables.shared
        var run: [UInt32] = []
        Self.roles[rawValue].withUnsafeBufferPointer { roles in
            text.rewrite { bytes, output in
                var copied = 0
                /// The position of the scalar before `position`, if it may combine with what follows.
                var base: Int?
                var position = 0
                while position < bytes.count {
                    let (value, length) = UTF8Scan.scalar(bytes, position)
                    let role = value < 0x10000 ? roles[Int(value)] : Self.supplementaryRole(of: value)
                    guard role == Self.active else {
                        base = role == Self.starter ? position : nil
                        position += length
                        continue
                    }
                    let start = base ?? position
                    run.removeAll(keepingCapacity: true)
                    if start < position {
                        tables.decompose(
                            UTF8Scan.scalar(bytes, start).value, isCompatible: isCompatible, to: &run)
                    }
                    tables.decompose(value, isCompatible: isCompatible, to: &run)
                    position += length
                    while position < bytes.count {
                        let (value, length) = UTF8Scan.scalar(bytes, position)
                        let role = value < 0x10000 ? roles[Int(value)] : Self.supplementaryRole(of: value)
                        if role != Self.active { break }
                        tables.decompose(value, isCompatible: isCompatible, to: &run)
                        position += length
                    }
                    tables.reorder(&run)
                    output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[copied..<start]))
                    for scalar in isComposed ? tables.compose(run) : run { output.append(scalar: scalar) }
                    copied = position
                    base = nil
                }
                output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[copied...]))
            }
        }
    }

    private var isComposed: Bool { self == .composed || self == .compatibilityComposed }
    private var isCompatible: Bool { self == .compatibilityComposed || self == .compatibilityDecomposed }

    // MARK: Roles of scalars

    /// The scalar changes, or may combine with the scalar before it.
    private static let active: UInt8 = 0
    /// The scalar is unchanged unless a later scalar combines with it.
    private static let starter: UInt8 = 1
    /// The scalar is unchanged, whatever follows.
    private static let barrier: UInt8 = 2

    /// The roles of the scalars of the basic plane, for each form.
    private static let roles: [[UInt8]] = allCases.map { form in
        (0..<0x10000).map { form.role(of: $0) }
    }

    /// The role of a scalar of the basic plane.
    private func role(of value: UInt32) -> UInt8 {
        switch value {
        case ..<0x80: return Self.starter
        // Ideographs, surrogates and private use: these neither change nor combine.
        case 0x3400...0x4DB5, 0x4E00...0x9FD5, 0xD800...0xF8FF: return Self.barrier
        case 0xAC00...0xD7A3: return isComposed ? Self.starter : Self.active
        default: break
        }
        guard let scalar = Unicode.Scalar(value) else { return Self.barrier }
        let properties = scalar.properties
        guard CanonicalTables.isKnown(scalar) else { return Self.barrier }
        if properties.canonicalCombiningClass != .notReordered { return Self.active }
        if isComposed {
            // Hangul vowels and final consonants, and marks, may combine with the scalar before them.
            if (0x1160...0x11FF).contains(value) { return Self.active }
            switch properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: return Self.active
            default: break
            }
        }
        var scalars: [UInt32] = []
        CanonicalTables.shared.decompose(value, isCompatible: isCompatible, to: &scalars)
        if isComposed { scalars = CanonicalTables.shared.compose(scalars) }
        return scalars == [value] ? Self.starter : Self.active
    }

    /// The role of a scalar above the basic plane.
    private static func supplementaryRole(of value: UInt32) -> UInt8 {
        switch value {
        // Ideographs and pictographs.
        case 0x20000...0x2CEA1, 0x1F300...0x1FAFF: return barrier
        default:
            guard let scalar = Unicode.Scalar(value), CanonicalTables.isKnown(scalar) else { return barrier }
            return active
        }
    }
}
