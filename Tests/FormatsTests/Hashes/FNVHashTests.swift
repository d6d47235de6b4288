import Formats
import Testing

/// FNV-1a against known values: those of the algorithm's authors, and of a separate implementation for texts with separators.
@Suite struct FNVHashTests {
    @Test(
        "64 bits",
        arguments: [
            ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
        ] as [(String, UInt64)])
    func short(text: String, expected: UInt64) {
        #expect(FNV64.hash(of: text) == expected)
        var hash = FNV64()
        for byte in text.utf8 { hash.add([byte]) }
        #expect(hash.value == expected)
    }

    @Test("a seed is xored into the first value")
    func seeded() {
        #expect(FNV64(seed: 5).value == 0xcbf2_9ce4_8422_2320)
        var hash = FNV64(seed: 5)
        hash.add(Array("a".utf8))
        #expect(hash.value == 0xaf63_d94c_8601_e773)
    }

    @Test(
        "128 bits, leading zeros included",
        arguments: [
            ("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964"),
            ("foobar", "343e1662793c64bf6f0d3597ba446f18"), ("aa", "08809544baab1be95aa0733055b69927"),
        ])
    func long(text: String, expected: String) {
        var hash = FNV128()
        hash.add(Array(text.utf8))
        #expect(hash.digits == expected)
    }

    @Test(
        "the end of a text counts",
        arguments: [
            (["ab", "c"], 0x20ba_9b30_25a8_b421, "32763e664083d94f70814487f805ad59"),
            (["a", "bc"], 0xa0a3_542c_19b9_00ab, "36cc24064d83d94f708145dd58651e3b"),
        ] as [([String], UInt64, String)])
    func texts(texts: [String], short: UInt64, long: String) {
        var hash = FNV64()
        var longHash = FNV128()
        for text in texts {
            hash.add(text: text)
            longHash.add(text: text)
        }
        #expect(hash.value == short && longHash.digits == long)
    }
}
