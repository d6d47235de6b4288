internal import Foundation

/// A number of bytes in text form: "6GB", "1.5 GiB", "800M". This is the only definition of byte sizes in settings and messages.
///
/// KB, MB, GB and TB are powers of 1000, and so are the letters K, M, G and T alone. KiB, MiB, GiB and TiB are powers of 1024.
package struct ByteCount: Equatable, Comparable, CustomStringConvertible {
    /// The number of bytes.
    package var bytes: Int

    /// What a text must be, for error messages.
    package static let expected =
        "a number of bytes, or a number with KB, MB, GB or TB (powers of 1000) or KiB, MiB, GiB or TiB (powers of 1024), such as 6GB"

    /// A given number of bytes.
    package init(bytes: Int) { self.bytes = bytes }

    /// Parses "6GB", "1.5G", "800 MiB", "4096 kB" or a plain number of bytes; nil for any other text and for less than one byte.
    /// Upper and lower case are the same. More than 2⁶² bytes count as 2⁶², which no machine has.
    package init?(_ text: String) {
        let letters = text.trimmingCharacters(in: .whitespaces).uppercased()
        let digits = letters.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var unit = letters.dropFirst(digits.count).drop { $0 == " " }
        var base = 1000.0
        if unit.hasSuffix("B") { unit = unit.dropLast() }
        if unit.count == 2, unit.hasSuffix("I") { (unit, base) = (unit.dropLast(), 1024) }
        let powers = ["": 0, "K": 1, "M": 2, "G": 3, "T": 4]
        guard let number = Double(digits), let power = powers[String(unit)] else { return nil }
        let bytes = number * pow(base, Double(power))
        guard bytes >= 1 else { return nil }
        self.bytes = Int(min(bytes, 0x1p62))
    }

    /// Compares the numbers of bytes.
    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

    /// The number in GB with one decimal, below 1 GB in whole MB, kB or bytes; units are powers of 1000.
    package var description: String {
        switch bytes {
        case 1_000_000_000...: String(format: "%.1f GB", Double(bytes) / 1e9)
        case 1_000_000...: String(format: "%.0f MB", Double(bytes) / 1e6)
        case 1000...: String(format: "%.0f kB", Double(bytes) / 1e3)
        default: "\(Counted(bytes, "byte"))"
        }
    }

    /// The texts of two numbers that a message compares. Where the usual digits are the same although the numbers differ, both have as
    /// many decimals as it takes to tell them apart.
    package static func compared(_ first: Int, _ second: Int) -> (first: String, second: String) {
        let usual = (ByteCount(bytes: first).description, ByteCount(bytes: second).description)
        guard first != second, usual.0 == usual.1 else { return usual }
        for (unit, power) in [("GB", 9), ("MB", 6), ("kB", 3)] where Double(min(first, second)) >= pow(10, Double(power)) {
            for decimals in 1...power {
                let texts = [first, second].map { String(format: "%.\(decimals)f \(unit)", Double($0) / pow(10, Double(power))) }
                if texts[0] != texts[1] { return (texts[0], texts[1]) }
            }
        }
        return usual
    }
}
