import ShortFloats

/// A tensor's elements in bfloat16 instead of 32-bit floats, such as checkpoint weights that are read directly from a mapped
/// file.
///
/// A storage of such elements (``Storage/init(_:)``) has no floats and no pointer. Products and embedding lookups widen the
/// elements that they need, a block at a time, so that a model for inference needs no more memory than its file. All other
/// operations use ``Tensor/widened()``, which makes a copy in 32-bit floats.
///
/// `@unchecked Sendable`: `owner` keeps the memory alive. It is written before the object exists, or by ``round(_:into:)``, whose
/// caller must be the only user.
package final class NarrowElements: @unchecked Sendable {
    package let pointer: UnsafePointer<UInt16>
    package let count: Int
    private let owner: AnyObject
    private let release: @Sendable () -> Void

    /// Creates a view of `count` little-endian bfloat16 elements in memory that `owner` keeps alive.
    /// - Parameter release: lets the system reclaim memory that can be read again. It is called when the elements are rarely read from
    ///   now on, because they have been copied or are no longer in use.
    package init(
        _ pointer: UnsafePointer<UInt16>, count: Int, owner: AnyObject, release: @escaping @Sendable () -> Void = {}
    ) {
        (self.pointer, self.count, self.owner, self.release) = (pointer, count, owner, release)
    }

    /// Creates elements in newly allocated memory; `fill` writes them in little-endian order.
    package convenience init(count: Int, fill: (UnsafeMutablePointer<UInt16>) -> Void) {
        let block = Storage(byteCount: count * 2)
        let numbers = block.pointer.assumingMemoryBound(to: UInt16.self)
        fill(numbers)
        self.init(numbers, count: count, owner: block)
    }

    /// Writes a range of the elements as floats; the conversion is exact.
    package func widen(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range \(range) is outside the \(count) elements")
        let from = pointer + range.lowerBound
        for index in 0..<range.count {
            out[index] = FloatConversion.widenBFloat16(UInt16(littleEndian: from[index]))
        }
        withExtendedLifetime(self) {}
    }

    /// Rounds floats to the nearest bfloat16, ties to even, and overwrites a range of the elements. The caller must be the only
    /// user of the memory, as with a key/value cache.
    package func round(_ numbers: UnsafePointer<Float>, into range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range \(range) is outside the \(count) elements")
        let to = UnsafeMutablePointer(mutating: pointer) + range.lowerBound
        for index in 0..<range.count {
            to[index] = FloatConversion.narrowToBFloat16(numbers[index]).littleEndian
        }
        withExtendedLifetime(self) {}
    }

    /// Lets the system reclaim memory that can be read again.
    func releasePages() { release() }
}
