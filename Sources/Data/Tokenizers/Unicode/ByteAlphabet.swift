/// GPT-2's printable alphabet for bytes.
///
/// Byte-level vocabularies spell every byte as one visible character: printable Latin-1 bytes as themselves, the other
/// 68 bytes as U+0100, U+0101, … in order. The mapping is one to one.
enum ByteAlphabet {
    /// The character of each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte -> UInt32 in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return UInt32(byte)
            default:
                defer { next += 1 }
                return next
            }
        }
    }()

    /// The UTF-8 form of each byte's character: its first byte in the low half, its second byte in the high half (0 if
    /// there is none).
    static let encoded: [UInt16] = scalars.map { scalar in
        scalar < 0x80 ? UInt16(scalar) : UInt16(0xC0 | scalar >> 6) | UInt16(0x80 | scalar & 0x3F) << 8
    }

    /// The byte of each character below U+0200; -1 if the character is not in the alphabet.
    static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x200)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
        return table
    }()

    /// The bytes that a token spells; `nil` if one of its characters is not in the alphabet.
    static func decoded(_ token: some Collection<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(token.count)
        var iterator = token.makeIterator()
        while let first = iterator.next() {
            var scalar = UInt32(first)
            if first >= 0x80 {
                guard first & 0xE0 == 0xC0, let second = iterator.next() else { return nil }
                scalar = (scalar & 0x1F) << 6 | UInt32(second & 0x3F)
            }
            guard scalar < 0x200, bytes[Int(scalar)] >= 0 else { return nil }
            result.append(UInt8(bytes[Int(scalar)]))
        }
        return result
    }

    /// Appends the spelling of bytes in the alphabet, as UTF-8.
    @inline(__always)
    static func spell(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        encoded.withUnsafeBufferPointer { alphabet in
            for byte in text {
                let pair = alphabet[Int(byte)]
                output.append(UInt8(truncatingIfNeeded: pair))
                if pair > 0xFF { output.append(UInt8(pair >> 8)) }
            }
        }
    }

    /// The spelling of bytes in the alphabet, as UTF-8.
    static func spelled(_ text: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text { result.append(scalar: scalars[Int(byte)]) }
        return result
    }
}
