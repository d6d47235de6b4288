/// Blocks of 32 numbers as 8-bit integers with a common scale, ggml's type Q8_0.
///
/// A block has 34 bytes: the scale in half precision (little-endian), then 32 signed integers. A number is its integer times the
/// scale, which is exact in 32-bit floats. Source: ggml's description of its types (ggml-common.h).
package enum Q8Block {
    /// The number of numbers of a block.
    package static let count = 32
    /// The size of a block in bytes.
    package static let byteCount = 34

    /// Rounds 32 finite numbers as ggml does, and writes the block. The scale is the largest magnitude divided by 127; the
    /// integers are the numbers times the reciprocal of the scale that is not yet rounded, with ties away from zero. If the scale is 0 in
    /// half precision, so are the integers.
    ///
    /// Rounding the numbers of a block that this function wrote gives the same block.
    /// - Returns: Whether the scale is finite in half precision. If it is not, nothing is written.
    package static func encode(_ numbers: UnsafePointer<Float>, into block: UnsafeMutablePointer<UInt8>) -> Bool {
        var largest: Float = 0
        for index in 0..<count { largest = max(largest, abs(numbers[index])) }
        let scale = largest / 127
        let bits = FloatConversion.narrowToFloat16(scale)
        guard bits < 0x7C00 else { return false }
        (block[0], block[1]) = (UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8))
        let inverse = bits == 0 ? 0 : 1 / scale
        for index in 0..<count {
            block[2 + index] = UInt8(bitPattern: Int8((numbers[index] * inverse).rounded(.toNearestOrAwayFromZero)))
        }
        return true
    }

    /// The scale of a block.
    @inlinable @inline(__always)
    package static func scale(of block: UnsafePointer<UInt8>) -> Float {
        FloatConversion.widenFloat16(UInt16(block[0]) | UInt16(block[1]) << 8)
    }

    /// Writes the 32 numbers of a block; the conversion is exact.
    @inlinable @inline(__always)
    package static func decode(_ block: UnsafePointer<UInt8>, into numbers: UnsafeMutablePointer<Float>) {
        let scale = scale(of: block)
        for index in 0..<count { numbers[index] = Float(Int32(Int8(bitPattern: block[2 + index]))) * scale }
    }
}
