import ShortFloats

/// The storage format of a tensor's elements, all of which represent 32-bit floats.
///
/// Every format except ``f32`` is narrow: its elements have no address as floats, and are widened where they are read
/// (``NarrowElements``). Another format needs a case here and its widening in ``NarrowElements``. It needs no line in
/// ``ProductTable``.
package enum NumberFormat: CaseIterable, Sendable {
    /// 32-bit floats.
    case f32
    /// bfloat16: the upper half of a 32-bit float.
    case bf16
    /// 16-bit floats in half precision.
    case f16
    /// Blocks of 32 8-bit integers with a scale, ``Q8Block``; the last block is filled up with zeros.
    case q8

    /// The size of `count` elements in bytes.
    package func byteCount(of count: Int) -> Int {
        switch self {
        case .f32: 4 * count
        case .bf16, .f16: 2 * count
        case .q8: (count + Q8Block.count - 1) / Q8Block.count * Q8Block.byteCount
        }
    }

    /// The name of the format in messages.
    package var name: String {
        switch self {
        case .f32: "32-bit floats"
        case .bf16: "bfloat16"
        case .f16: "half precision"
        case .q8: "8-bit integers with scales (Q8_0)"
        }
    }
}
