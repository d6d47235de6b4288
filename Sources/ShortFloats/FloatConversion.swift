/// Conversions between 32-bit floats and the bit patterns of 16-bit floats. Rounding is to nearest, ties to even.
package enum FloatConversion {
    /// The value of a bfloat16 bit pattern. The conversion is exact.
    @inlinable @inline(__always)
    package static func widenBFloat16(_ bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    /// The value of an IEEE half-precision bit pattern. The conversion is exact.
    @inlinable @inline(__always)
    package static func widenFloat16(_ bits: UInt16) -> Float {
        // no overflow checks, so that loops are vectorised
        let sign = UInt32(bits & 0x8000) &<< 16
        let magnitude = UInt32(bits & 0x7FFF)
        let widened: UInt32
        if magnitude >= 0x7C00 {  // infinity and NaN keep their payload
            widened = 0x7F80_0000 | (magnitude & 0x03FF) &<< 13
        } else if magnitude < 0x0400 {  // subnormal: a multiple of 2⁻²⁴
            widened = (Float(magnitude) * 0x1p-24).bitPattern
        } else {  // rebias the exponent from 15 to 127
            widened = magnitude &<< 13 &+ 0x3800_0000
        }
        return Float(bitPattern: sign | widened)
    }

    /// The bit pattern of the nearest bfloat16. NaN stays NaN.
    @inlinable @inline(__always)
    package static func narrowToBFloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }

    /// The bit pattern of the nearest half-precision float; infinity for magnitudes of at least 65520. NaN stays NaN.
    @inlinable @inline(__always)
    package static func narrowToFloat16(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        let narrowed: UInt32
        if magnitude > 0x7F80_0000 {
            narrowed = 0x7E00
        } else if magnitude >= 0x477F_F000 {
            narrowed = 0x7C00
        } else if magnitude < 0x3880_0000 {  // below 2⁻¹⁴: adding 1/2 rounds to a multiple of 2⁻²⁴
            narrowed = (Float(bitPattern: magnitude) + 0.5).bitPattern - Float(0.5).bitPattern
        } else {
            narrowed = (magnitude + 0x0FFF + (magnitude >> 13 & 1) - UInt32(112) << 23) >> 13
        }
        return sign | UInt16(truncatingIfNeeded: narrowed)
    }
}
