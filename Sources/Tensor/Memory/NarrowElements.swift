import ShortFloats

/// Numbers in bfloat16 that stand for 32-bit floats: weights of a checkpoint that are read where they lie, in a mapped file.
///
/// A storage of them (``Storage/init(_:)``) has no floats and no pointer. Products and lookups widen what they need, a block at a time, so
/// that a model that is only asked takes the memory of its file; everything else says ``Tensor/widened()`` and has a copy.
///
/// `@unchecked Sendable`: `owner` keeps the memory, which is written before the object exists, or by ``round(_:into:)`` for one owner.
package final class NarrowElements: @unchecked Sendable {
    package let pointer: UnsafePointer<UInt16>
    package let count: Int
    private let owner: AnyObject
    private let release: @Sendable () -> Void

    /// `count` numbers, little-endian, in memory that `owner` keeps alive.
    /// - Parameter release: called when all numbers have been copied elsewhere: the memory is rarely read from then on.
    package init(
        _ pointer: UnsafePointer<UInt16>, count: Int, owner: AnyObject, release: @escaping @Sendable () -> Void = {}
    ) {
        (self.pointer, self.count, self.owner, self.release) = (pointer, count, owner, release)
    }

    /// Numbers in memory of their own, written by `fill` in little-endian order.
    package convenience init(count: Int, fill: (UnsafeMutablePointer<UInt16>) -> Void) {
        let block = Storage(byteCount: count * 2)
        let numbers = block.pointer.assumingMemoryBound(to: UInt16.self)
        fill(numbers)
        self.init(numbers, count: count, owner: block)
    }

    /// Writes some of the numbers as floats, exactly.
    package func widen(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "numbers \(range) are not among \(count)")
        let from = pointer + range.lowerBound
        for index in 0..<range.count {
            out[index] = FloatConversion.widenBFloat16(UInt16(littleEndian: from[index]))
        }
        withExtendedLifetime(self) {}
    }

    /// Rounds floats to the nearest bfloat16, ties to even, and writes them over some of the numbers. Nobody may read them meanwhile:
    /// this is for memory of one's own, such as a cache.
    package func round(_ numbers: UnsafePointer<Float>, into range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "numbers \(range) are not among \(count)")
        let to = UnsafeMutablePointer(mutating: pointer) + range.lowerBound
        for index in 0..<range.count {
            to[index] = FloatConversion.narrowToBFloat16(numbers[index]).littleEndian
        }
        withExtendedLifetime(self) {}
    }

    /// Says that all numbers have been copied elsewhere.
    func wereCopied() { release() }
}
