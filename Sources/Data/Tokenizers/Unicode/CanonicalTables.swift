import Foundation

/// Decompositions, compositions and combining classes of Unicode 9, the version that Hugging Face `tokenizers` uses.
///
/// They are computed with Foundation from single scalars. Foundation composes some longer texts incorrectly (for
/// example, it treats U+10041 followed by a mark like U+0041).
struct CanonicalTables: Sendable {
    static let shared = CanonicalTables()

    private var canonical: [UInt32: [UInt32]] = [:]
    private var compatibility: [UInt32: [UInt32]] = [:]
    /// The composite scalar of each pair of a starter (high half of the key) and a following scalar (low half).
    private var composites: [UInt64: UInt32] = [:]
    private let basicClasses: [UInt8]

    private init() {
        basicClasses = (0..<UInt32(0x10000)).map { Self.computedClass($0) }
        var spelled: [[UInt32]: UInt32] = [:]
        for range in Self.blocks {
            for value in range {
                guard let scalar = Unicode.Scalar(value), Self.isKnown(scalar) else { continue }
                let text = String(Character(scalar))
                let full = text.decomposedStringWithCompatibilityMapping.unicodeScalars.map(\.value)
                if full != [value] { compatibility[value] = full }
                let decomposed = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
                if decomposed == [value] { continue }
                canonical[value] = decomposed
                // A scalar that NFC does not preserve is excluded from composition.
                if decomposed.count > 1,
                    text.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual([scalar])
                {
                    spelled[decomposed] = value
                }
            }
        }
        for (decomposed, value) in spelled {
            guard let last = decomposed.last else { continue }
            let head = Array(decomposed.dropLast())
            guard let first = head.count == 1 ? head[0] : spelled[head] else { continue }
            composites[Self.pair(first, last)] = value
        }
    }

    /// The blocks that contain scalars with decompositions, except Hangul syllables.
    private static let blocks: [ClosedRange<UInt32>] = [
        0xA0...0x33FF, 0xA000...0xABFF, 0xF900...0xFFFF, 0x11000...0x11FFF, 0x1D100...0x1D7FF, 0x1EE00...0x1EEFF,
        0x1F100...0x1F2FF, 0x2F800...0x2FA1F,
    ]

    /// Whether a scalar is in Unicode 9.
    static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major < 9 || age.major == 9 && age.minor == 0
    }

    /// The combining class of a scalar, from the standard library.
    private static func computedClass(_ value: UInt32) -> UInt8 {
        guard let scalar = Unicode.Scalar(value), isKnown(scalar) else { return 0 }
        return scalar.properties.canonicalCombiningClass.rawValue
    }

    private static func pair(_ first: UInt32, _ second: UInt32) -> UInt64 {
        UInt64(first) << 32 | UInt64(second)
    }

    /// The Canonical_Combining_Class of a scalar.
    func combiningClass(_ value: UInt32) -> UInt8 {
        value < 0x10000 ? basicClasses[Int(value)] : Self.computedClass(value)
    }

    /// Appends the full decomposition of a scalar.
    func decompose(_ value: UInt32, isCompatible: Bool, to output: inout [UInt32]) {
        if (0xAC00...0xD7A3).contains(value) {
            let index = value - 0xAC00
            output.append(0x1100 + index / 588)
            output.append(0x1161 + index % 588 / 28)
            if index % 28 > 0 { output.append(0x11A7 + index % 28) }
        } else if let decomposed = isCompatible ? compatibility[value] : canonical[value] {
            output.append(contentsOf: decomposed)
        } else {
            output.append(value)
        }
    }

    /// The scalar that two scalars compose to; `nil` if there is none.
    func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (0x1100..<0x1113).contains(first), (0x1161..<0x1176).contains(second) {
            return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
        }
        if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8..<0x11C3).contains(second) {
            return first + second - 0x11A7
        }
        return composites[Self.pair(first, second)]
    }

    /// Sorts marks by their combining classes.
    func reorder(_ scalars: inout [UInt32]) {
        var start = 0
        while start < scalars.count {
            if combiningClass(scalars[start]) == 0 {
                start += 1
                continue
            }
            var end = start + 1
            var isOrdered = true
            while end < scalars.count {
                let next = combiningClass(scalars[end])
                if next == 0 { break }
                if next < combiningClass(scalars[end - 1]) { isOrdered = false }
                end += 1
            }
            if !isOrdered {
                let sorted = scalars[start..<end].enumerated().sorted {
                    (combiningClass($0.element), $0.offset) < (combiningClass($1.element), $1.offset)
                }
                scalars.replaceSubrange(start..<end, with: sorted.map(\.element))
            }
            start = end
        }
    }

    /// Composes scalars that are decomposed and ordered.
    func compose(_ scalars: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(scalars.count)
        var starter: Int?
        var lastClass: UInt8 = 0
        for scalar in scalars {
            let ownClass = combiningClass(scalar)
            // A mark of the same or a higher class, or a starter, blocks the composition of what follows it.
            if let starter, lastClass < ownClass || result.count == starter + 1,
                let composite = composite(result[starter], scalar)
            {
                result[starter] = composite
                continue
            }
            if ownClass == 0 { starter = result.count }
            lastClass = ownClass
            result.append(scalar)
        }
        return result
    }
}
