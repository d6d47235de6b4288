// The FNV-1a hashes of Fowler, Noll and Vo: each byte is xored into the hash, which is then multiplied by a prime.
// They distinguish texts that differ by accident; they are not cryptographically secure. The values are part of files and
// results (splits, caches, samples), so they must never change.

/// The 64-bit FNV-1a hash of bytes.
package struct FNV64 {
    /// The hash of all bytes so far.
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Creates the hash of no bytes.
    /// - Parameter seed: a number that is xored into the first value. Default: 0, for the standard hash.
    package init(seed: UInt64 = 0) { value ^= seed }

    /// Appends bytes.
    package mutating func add(_ bytes: [UInt8]) {
        for byte in bytes { mix(byte) }
    }

    /// Appends the UTF-8 bytes of a text and the byte 0xFF, which no text contains, so that "ab", "c" differs from "a", "bc".
    package mutating func add(text: String) {
        for byte in text.utf8 { mix(byte) }
        mix(0xff)
    }

    /// The hash of the UTF-8 bytes of a text, without a separator.
    package static func hash(of text: String) -> UInt64 {
        var hash = FNV64()
        for byte in text.utf8 { hash.mix(byte) }
        return hash.value
    }

    private mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
}

/// The 128-bit FNV-1a hash of bytes, for fingerprints of texts and keys of caches.
package struct FNV128 {
    private var value: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

    /// Creates the hash of no bytes.
    package init() {}

    /// Appends bytes.
    package mutating func add(_ bytes: [UInt8]) {
        for byte in bytes { mix(byte) }
    }

    /// Appends the UTF-8 bytes of a text and the byte 0xFF, which no text contains, so that "ab", "c" differs from "a", "bc".
    package mutating func add(text: String) {
        for byte in text.utf8 { mix(byte) }
        mix(0xff)
    }

    /// The hash of all bytes so far, as 32 hexadecimal digits.
    package var digits: String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }

    private mutating func mix(_ byte: UInt8) { value = (value ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b }
}
