/// Decodes scalars from UTF-8 that may be malformed.
enum UTF8Scan {
    /// The scalar at `index` and its length. A byte that does not start a valid sequence is decoded as U+FFFD with
    /// length 1.
    @inline(__always)
    static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> (value: UInt32, length: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        return multibyte(bytes, index, first)
    }

    private static func multibyte(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: Int, _ first: UInt8
    ) -> (value: UInt32, length: Int) {
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first < 0xF5, index + length <= bytes.count else { return (0xFFFD, 1) }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            let byte = bytes[index + offset]
            guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        let overlong = length == 3 && value < 0x800 || length == 4 && value < 0x10000
        guard !overlong, value <= 0x10FFFF, !(0xD800..<0xE000).contains(value) else { return (0xFFFD, 1) }
        return (value, length)
    }

    /// The scalar that ends at `index`, which must be greater than 0, and its length.
    static func scalarBefore(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> (value: UInt32, length: Int) {
        var start = index - 1
        while start > 0, index - start < 4, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        let (value, length) = scalar(bytes, start)
        return start + length == index ? (value, length) : (0xFFFD, 1)
    }
}

extension Array where Element == UInt8 {
    /// Appends the UTF-8 form of a scalar value; U+FFFD if the value is not a scalar.
    @inline(__always)
    mutating func append(scalar value: UInt32) {
        if value < 0x80 {
            append(UInt8(value))
        } else {
            append(contentsOf: UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
        }
    }
}
