internal import Foundation

/// A number of bytes in text form: "6G", "1.5 GB", "800 MB". Units are powers of 1024.
package struct ByteCount: Equatable, Comparable, CustomStringConvertible {
    /// The number of bytes.
    package var bytes: Int

    /// A given number of bytes.
    package init(bytes: Int) { self.bytes = bytes }

    /// Parses "6G", "1.5GB", "800 MiB", "4096K" or a plain number of bytes; nil for any other text and for less than one byte.
    package init?(_ text: String) {
        let letters = text.trimmingCharacters(in: .whitespaces).uppercased()
        let digits = letters.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var unit = letters.dropFirst(digits.count).drop { $0 == " " }
        if unit.hasSuffix("B") { unit = unit.dropLast() }
        if unit.count == 2, unit.hasSuffix("I") { unit = unit.dropLast() }
        let powers = ["": 0, "K": 1, "M": 2, "G": 3, "T": 4]
        guard let number = Double(digits), let power = powers[String(unit)] else { return nil }
        let bytes = number * pow(1024, Double(power))
        guard bytes >= 1, bytes < 0x1p62 else { return nil }
        self.bytes = Int(bytes)
    }

    /// Compares the numbers of bytes.
    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

    /// The number in GB with one decimal, or in MB below 1 GB; units are powers of 1024.
    package var description: String {
        bytes >= 1 << 30
            ? String(format: "%.1f GB", Double(bytes) / 0x1p30) : String(format: "%.0f MB", Double(bytes) / 0x1p20)
    }
}
