/// CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4), and the masked form that TensorFlow's record files hold.
///
/// Written here because zlib's `crc32` has another polynomial.
package enum CRC32C {
    /// One entry for each byte, for the reflected polynomial 0x82F63B78.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    /// The checksum of some bytes.
    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    /// The checksum, rotated by 15 bits and with a constant added: a checksum over bytes that hold checksums would be weak.
    package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let value = checksum(bytes)
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }
}
