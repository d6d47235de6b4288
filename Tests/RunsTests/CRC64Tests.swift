import Runs
import Testing

@Suite struct CRC64Tests {
    /// The check value that the catalogue of CRC algorithms gives for CRC-64/XZ.
    @Test func hasTheCatalogueCheckValue() {
        var crc = CRC64()
        crc.update(Array("123456789".utf8))
        #expect(crc.value == 0x995D_C9BB_DF19_39FA)
        #expect(CRC64().value == 0)
    }

    /// However the bytes are cut, and bit by bit, the result is the same.
    @Test func equalsTheBitwiseDefinition() {
        var bytes: [UInt8] = []
        for index in 0..<1000 { bytes.append(UInt8(truncatingIfNeeded: index &* index &+ 7 &* index)) }
        for length in [0, 1, 7, 8, 9, 16, 63, 1000] {
            let part = Array(bytes.prefix(length))
            var whole = CRC64()
            whole.update(part)
            #expect(whole.value == bitwise(part))
            var pieces = CRC64()
            for start in stride(from: 0, to: length, by: 13) {
                pieces.update(Array(part[start..<min(start + 13, length)]))
            }
            #expect(pieces == whole)
        }
    }

    private func bitwise(_ bytes: [UInt8]) -> UInt64 {
        var crc = UInt64.max
        for byte in bytes {
            for bit in 0..<8 {
                let isOdd = (crc ^ UInt64(byte >> UInt8(bit))) & 1 == 1
                crc = crc >> 1 ^ (isOdd ? 0xC96C_5795_D787_0F42 : 0)
            }
        }
        return ~crc
    }
}
