import Data
import Foundation
import Testing

/// Classes and normal forms of every scalar equal the reference's.
@Suite struct UnicodeTableTests {
    /// See make_tokenizers.py.
    struct Tables: Decodable {
        /// Runs of equal classes: the first scalar and the flags.
        var classes: [[UInt32]]
        /// CRC-32 of what each normalizer makes of 4096 scalars below U+30000 at a time.
        var sums: [String: [UInt32]]
    }

    /// Unoptimised builds look at fewer blocks.
    #if DEBUG
        static let share = 5
    #else
        static let share = 1
    #endif

    static let scalars = (UInt32(0)...0x10FFFF).filter { Unicode.Scalar($0) != nil }

    @Test func classesEqualTheReference() throws {
        let runs = try TokenizerFixture.decoded(Tables.self, "unicode.json").classes
        // The flags stand in the order of the bits.
        try #require(UnicodeClass.letter.rawValue == 1 && UnicodeClass.mark.rawValue == 128)
        var next = 0
        var wrong: [String] = []
        for scalar in Self.scalars {
            while next < runs.count, runs[next][0] <= scalar { next += 1 }
            let (expected, classes) = (runs[next - 1][1], UInt32(UnicodeClass.of(scalar).rawValue))
            if classes != expected { wrong.append("U+\(String(scalar, radix: 16)): \(classes), not \(expected)") }
        }
        #expect(wrong == [])
    }

    @Test(arguments: ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "BertNormalizer"])
    func normalizersEqualTheReference(_ name: String) throws {
        let sums = try #require(try TokenizerFixture.decoded(Tables.self, "unicode.json").sums[name])
        let tokenizer = try Self.spelling(normalizer: name)
        let scalars = Self.scalars.prefix { $0 < 0x30000 }
        for (index, start) in stride(from: 0, to: scalars.count, by: 4096).enumerated() where index % Self.share == 0 {
            var text = ""
            for value in scalars[start..<min(start + 4096, scalars.count)] {
                guard let scalar = Unicode.Scalar(value) else { continue }
                text.unicodeScalars.append(contentsOf: ["a", scalar, "\u{323}", "\u{301}", scalar])
            }
            let ids = tokenizer.encode(text, addingSpecialTokens: false)
            let result = tokenizer.decode(ids, skippingSpecialTokens: false)
            #expect(CRC32.sum(result.utf8) == sums[index], "\(name), block \(index)")
        }
    }

    /// A tokenizer that gives back what a normalizer made of a text.
    private static func spelling(normalizer: String) throws -> any Tokenizer {
        let bytes = (0..<256).map { byte -> String in
            let visible = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
            let order = (0..<byte).count { !((0x21...0x7E).contains($0) || (0xA1...0xAC).contains($0) || $0 >= 0xAE) }
            let scalar = Unicode.Scalar(UInt32(visible ? byte : 0x100 + order)) ?? "?"
            return "\"\(scalar == "\"" || scalar == "\\" ? "\\" : "")\(scalar)\": \(byte)"
        }
        let options =
            normalizer == "BertNormalizer"
            ? #", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true"# : ""
        let json = """
            {"normalizer": {"type": "\(normalizer)"\(options)},
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
             "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {\(bytes.joined(separator: ","))}, "merges": []}}
            """
        return try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "memory")
    }
}

/// The checksum of zlib.
private enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    static func sum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
}
