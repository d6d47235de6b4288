/// The CRC-32C checksum (Castagnoli polynomial, RFC 3720 appendix B.4), and the masked form in TensorFlow's record files.
///
/// It is implemented here because zlib's `crc32` uses a different polynomial.
package enum CRC32C {
    /// The lookup table, with one entry per byte value, for the reflected polynomial 0x82F63B78.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    /// The CRC-32C of some bytes.
    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    /// The CRC-32C, rotated right by 15 bits and with a constant added: a CRC of data that contain CRCs would be weak.
    package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let value = checksum(bytes)
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }
}
