import ShortFloats

// Decoders for ggml's block types. They compute element by element like the `gguf` package: each product and sum is rounded
// separately.
//
// A block begins or ends with its scale (and its minimum) as 16-bit floats. The K types have blocks of 256 elements, in groups of
// 16 or 32 with their own scales, which are small integers. Source: ggml's description of its types (ggml-common.h).

extension GGMLType {
    /// Decodes whole blocks into `result` as floats.
    func decode(_ bytes: UnsafeRawBufferPointer, into result: UnsafeMutableBufferPointer<Float>) {
        let (elements, width) = block
        let blocks = result.count / elements
        precondition(bytes.count == blocks * width, "\(bytes.count) bytes are not \(blocks) blocks of \(name)")
        guard blocks > 0, let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), let out = result.baseAddress else { return }
        for block in 0..<blocks {
            let (from, to) = (start + block * width, out + block * elements)
            switch self {
            case .float32: to.pointee = Float(bitPattern: UInt32(littleEndian: Self.word(from)))
            case .float16: to.pointee = Self.half(from)
            case .bfloat16: to.pointee = FloatConversion.widenBFloat16(UInt16(from[0]) | UInt16(from[1]) << 8)
            case .q4_0: Self.q4(from + 2, scale: Self.half(from), minus: 8, plus: nil, to)
            case .q4_1: Self.q4(from + 4, scale: Self.half(from), minus: 0, plus: Self.half(from + 2), to)
            case .q5_0: Self.q5(from + 6, high: Self.word(from + 2), scale: Self.half(from), minus: 16, plus: nil, to)
            case .q5_1: Self.q5(from + 8, high: Self.word(from + 4), scale: Self.half(from), minus: 0, plus: Self.half(from + 2), to)
            case .q8_0: Q8Block.decode(from, into: to)
            case .q2K: Self.q2K(from, to)
            case .q3K: Self.q3K(from, to)
            case .q4K: Self.q4K(from, to)
            case .q5K: Self.q5K(from, to)
            case .q6K: Self.q6K(from, to)
            }
        }
    }

    @inline(__always)
    private static func half(_ bytes: UnsafePointer<UInt8>) -> Float {
        FloatConversion.widenFloat16(UInt16(bytes[0]) | UInt16(bytes[1]) << 8)
    }

    @inline(__always)
    private static func word(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
        UInt32(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self))
    }

    // MARK: Blocks of 32

    @inline(__always)
    private static func q4(
        _ nibbles: UnsafePointer<UInt8>, scale: Float, minus offset: Int32, plus minimum: Float?, _ to: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<16 {
            let (low, high) = (scale * Float(Int32(nibbles[index] & 15) &- offset), scale * Float(Int32(nibbles[index] >> 4) &- offset))
            to[index] = minimum.map { low + $0 } ?? low
            to[index + 16] = minimum.map { high + $0 } ?? high
        }
    }

    @inline(__always)
    private static func q5(
        _ nibbles: UnsafePointer<UInt8>, high bits: UInt32, scale: Float, minus offset: Int32, plus minimum: Float?,
        _ to: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<16 {
            let first = Int32(nibbles[index] & 15) | Int32(truncatingIfNeeded: (bits >> UInt32(index)) & 1) << 4
            let second = Int32(nibbles[index] >> 4) | Int32(truncatingIfNeeded: (bits >> UInt32(index + 16)) & 1) << 4
            let (low, high) = (scale * Float(first &- offset), scale * Float(second &- offset))
            to[index] = minimum.map { low + $0 } ?? low
            to[index + 16] = minimum.map { high + $0 } ?? high
        }
    }

    // MARK: Blocks of 256

    /// Q2_K: 16 pairs of 4-bit scale and minimum; 256 2-bit values; the block's scale of the scales and scale of the minima.
    private static func q2K(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<Float>) {
        let (numbers, scale, minimum) = (from + 16, half(from + 80), half(from + 82))
        for group in 0..<16 {
            let (d, m) = (scale * Float(from[group] & 15), minimum * Float(from[group] >> 4))
            let (part, shift) = (numbers + group / 8 * 32 + group % 2 * 16, UInt8(group % 8 / 2 * 2))
            for index in 0..<16 { to[group * 16 + index] = d * Float((part[index] &>> shift) & 3) - m }
        }
    }

    /// Q3_K: 256 high bits; 256 2-bit values; 16 6-bit scales; the block's scale. A value whose high bit is 0 is reduced by 4.
    private static func q3K(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<Float>) {
        let (numbers, scales, scale) = (from + 32, from + 96, half(from + 108))
        for group in 0..<16 {
            let low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4
            let high = (scales[8 + group % 4] &>> UInt8(group / 4 * 2)) & 3
            let d = scale * Float(Int32(low | high << 4) - 32)
            let (part, shift) = (numbers + group / 8 * 32 + group % 2 * 16, UInt8(group % 8 / 2 * 2))
            let (bits, bit) = (from + group % 2 * 16, UInt8(group / 2))
            for index in 0..<16 {
                let number = Int32((part[index] &>> shift) & 3) &- Int32(~(bits[index] &>> bit) & 1) &* 4
                to[group * 16 + index] = d * Float(number)
            }
        }
    }

    /// The 6-bit scale and minimum of one of the 8 groups in a block of Q4_K or Q5_K.
    @inline(__always)
    private static func pair(_ scales: UnsafePointer<UInt8>, _ group: Int) -> (scale: Float, minimum: Float) {
        if group < 4 { return (Float(scales[group] & 63), Float(scales[group + 4] & 63)) }
        let both = scales[group + 4]
        return (Float(both & 15 | (scales[group - 4] >> 2) & 48), Float(both >> 4 | (scales[group] >> 2) & 48))
    }

    /// Q4_K: the block's scale and minimum; 8 pairs of 6-bit scale and minimum; 256 4-bit values.
    private static func q4K(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<Float>) {
        let (scale, minimum, numbers) = (half(from), half(from + 2), from + 16)
        for group in 0..<8 {
            let (own, least) = pair(from + 4, group)
            let (d, m) = (scale * own, minimum * least)
            let (part, shift) = (numbers + group / 2 * 32, UInt8(group % 2 * 4))
            for index in 0..<32 { to[group * 32 + index] = d * Float((part[index] &>> shift) & 15) - m }
        }
    }

    /// Q5_K: as Q4_K, with 256 fifth bits before the 4-bit values.
    private static func q5K(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<Float>) {
        let (scale, minimum, bits, numbers) = (half(from), half(from + 2), from + 16, from + 48)
        for group in 0..<8 {
            let (own, least) = pair(from + 4, group)
            let (d, m) = (scale * own, minimum * least)
            let (part, shift, bit) = (numbers + group / 2 * 32, UInt8(group % 2 * 4), UInt8(group))
            for index in 0..<32 {
                to[group * 32 + index] = d * Float((part[index] &>> shift) & 15 | (bits[index] &>> bit & 1) << 4) - m
            }
        }
    }

    /// Q6_K: the low 4 bits of 256 values; their high 2 bits; 16 8-bit scales; the block's scale.
    private static func q6K(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<Float>) {
        let (high, scales, scale) = (from + 128, from + 192, half(from + 208))
        for group in 0..<16 {
            let d = scale * Float(Int32(Int8(bitPattern: scales[group])))
            let (half, quarter) = (group / 8, group % 8 / 2)
            let (part, shift) = (from + half * 64 + group % 4 * 16, UInt8(quarter / 2 * 4))
            let (bits, bit) = (high + half * 32 + group % 2 * 16, UInt8(quarter * 2))
            for index in 0..<16 {
                let number = (part[index] &>> shift) & 15 | (bits[index] &>> bit & 3) << 4
                to[group * 16 + index] = d * Float(Int32(number) &- 32)
            }
        }
    }
}
