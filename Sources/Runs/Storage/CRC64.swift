/// The CRC-64/XZ checksum: polynomial 0x42F0E1EBA9EA3693, reflected, with initial value and final XOR of all ones.
///
/// It detects every burst error of up to 64 bits and misses others with a probability of 2⁻⁶⁴. It protects against accidents
/// (torn writes, bad disks), not against attackers, who could also change the checksum. The implementation processes eight bytes
/// with eight table look-ups ("slicing by 8", Kounavis and Berry 2005).
public struct CRC64: Equatable, Sendable {
    private var state: UInt64 = .max

    /// Creates the checksum of an empty input.
    public init() {}

    /// The checksum of all bytes so far.
    public var value: UInt64 { ~state }

    /// Updates the checksum with further bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        Self.tables.withUnsafeBufferPointer { table in
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = crc ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                var next: UInt64 = 0
                for lane in 0..<8 {
                    next ^= table[(7 - lane) << 8 | Int(truncatingIfNeeded: word >> UInt64(8 * lane)) & 0xff]
                }
                crc = next
                offset += 8
            }
            while offset < bytes.count {
                crc = crc >> 8 ^ table[Int(truncatingIfNeeded: crc ^ UInt64(bytes[offset])) & 0xff]
                offset += 1
            }
        }
        state = crc
    }

    /// The checksum as 16 hexadecimal digits.
    package var digits: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Updates the checksum with further bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Eight tables of 256 entries: entry `b` of table `k` is the state after byte `b` followed by `k` zero bytes.
    private static let tables: [UInt64] = {
        let reflectedPolynomial: UInt64 = 0xC96C_5795_D787_0F42
        var tables = [UInt64](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt64(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ reflectedPolynomial : crc >> 1 }
            tables[byte] = crc
        }
        for entry in 256..<tables.count {
            let crc = tables[entry - 256]
            tables[entry] = crc >> 8 ^ tables[Int(crc & 0xff)]
        }
        return tables
    }()
}
