import ShortFloats

/// A tensor's elements in a format that is narrower than 32-bit floats, such as bfloat16 checkpoint weights that are read directly
/// from a mapped file.
///
/// A storage of such elements (``Storage/init(_:)``) has no floats and no pointer. Products and embedding lookups widen the
/// elements that they need, a block at a time, so that a model for inference needs no more memory than its file. All other
/// operations use ``Tensor/widened()``, which makes a copy in 32-bit floats.
///
/// `@unchecked Sendable`: `owner` keeps the memory alive. It is written before the object exists, or by ``round(_:into:)``, whose
/// caller must be the only user.
package final class NarrowElements: @unchecked Sendable {
    /// The format of the elements; never ``NumberFormat/f32``.
    package let format: NumberFormat
    /// The elements in row-major order: ``NumberFormat/byteCount(of:)`` bytes, little-endian, with the alignment of the format.
    package let bytes: UnsafeRawPointer
    /// The number of elements.
    package let count: Int
    /// Whether products in bf16 precision may keep packed copies of the elements. If not, they pack them on the fly, which takes
    /// time and saves twice as many bytes as there are elements, in each direction. The results have the same bits.
    package let keepsPacking: Bool
    /// The numbers that the elements were rounded from, if they are in memory that can be read again, such as a mapped file: they take
    /// no memory until they are read. They are what is saved or merged; products read the rounded elements.
    package let original: Storage?
    /// What keeps the memory alive.
    let owner: AnyObject
    private let release: @Sendable () -> Void

    /// Creates a view of `count` elements in memory that `owner` keeps alive.
    /// - Parameters:
    ///   - keepsPacking: see ``keepsPacking``. Default: true, except for blocks (``NumberFormat/q8``).
    ///   - original: the numbers that the elements were rounded from; nil if there are none that can be read again.
    ///   - release: lets the system reclaim memory that can be read again. It is called when the elements are rarely read
    ///     from now on, because they have been copied or are no longer in use.
    package init(
        _ format: NumberFormat, _ bytes: UnsafeRawPointer, count: Int, keepsPacking: Bool? = nil, original: Storage? = nil,
        owner: AnyObject, release: @escaping @Sendable () -> Void = {}
    ) {
        precondition(format != .f32, "32-bit floats are not narrow")
        (self.format, self.bytes, self.count) = (format, bytes, count)
        (self.keepsPacking, self.original) = (keepsPacking ?? (format != .q8), original)
        (self.owner, self.release) = (owner, release)
    }

    /// Creates a view of `count` little-endian bfloat16 elements in memory that `owner` keeps alive.
    /// - Parameter release: called once all elements have been copied elsewhere, after which the memory is rarely read.
    package convenience init(
        _ pointer: UnsafePointer<UInt16>, count: Int, owner: AnyObject, release: @escaping @Sendable () -> Void = {}
    ) {
        self.init(.bf16, UnsafeRawPointer(pointer), count: count, owner: owner, release: release)
    }

    /// Creates elements of a 16-bit format, by default bfloat16, in newly allocated memory; `fill` writes them in little-endian order.
    package convenience init(_ format: NumberFormat = .bf16, count: Int, fill: (UnsafeMutablePointer<UInt16>) -> Void) {
        precondition(format == .bf16 || format == .f16, "\(format.name) is no format of 16 bits")
        let block = Storage(byteCount: count * 2)
        fill(block.pointer.assumingMemoryBound(to: UInt16.self))
        self.init(format, block.pointer, count: count, owner: block)
    }

    /// The first element of bfloat16 elements. Stops the program for any other format.
    package var pointer: UnsafePointer<UInt16> {
        precondition(format == .bf16, "the \(count) elements are stored in \(format.name), not in bfloat16")
        return bytes.assumingMemoryBound(to: UInt16.self)
    }

    /// Writes a range of the elements as floats; the conversion is exact.
    package func widen(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        widen(rows: 0..<1, columns: range, stride: 0, into: out)
    }

    /// Writes a block of a matrix with rows of `stride` elements as floats, row by row without gaps. The conversion is exact.
    package func widen(rows: Range<Int>, columns: Range<Int>, stride: Int, into out: UnsafeMutablePointer<Float>) {
        guard !rows.isEmpty, !columns.isEmpty else { return }
        let (first, last) = (rows.lowerBound * stride + columns.lowerBound, (rows.upperBound - 1) * stride + columns.upperBound)
        precondition(first >= 0 && last <= count, "the range \(first..<last) is outside the \(count) elements")
        switch format {
        case .f32: preconditionFailure("32-bit floats are not narrow")
        case .bf16:
            Kernels.current.pointee.bf16_widen(
                rows.count, columns.count, stride, bytes.assumingMemoryBound(to: UInt16.self) + first, out)
        case .f16:
            let numbers = bytes.assumingMemoryBound(to: UInt16.self) + first
            for row in 0..<rows.count {
                let (from, to) = (numbers + row * stride, out + row * columns.count)
                for index in 0..<columns.count { to[index] = FloatConversion.widenFloat16(UInt16(littleEndian: from[index])) }
            }
        case .q8:
            Kernels.current.pointee.q8_widen(
                rows.count, columns.count, first, stride, bytes.assumingMemoryBound(to: UInt8.self), out)
        }
        withExtendedLifetime(self) {}
    }

    /// The first of the Q8_0 blocks that hold a part of a matrix with rows of `stride` elements, and the distance of the rows in bytes;
    /// nil if the format is another one, or if the rows or the part are not whole blocks.
    func blocks(rows: Range<Int>, columns: Range<Int>, stride: Int) -> (first: UnsafeRawPointer, rowBytes: Int)? {
        let block = Q8Block.count
        guard format == .q8, !rows.isEmpty, !columns.isEmpty, stride % block == 0, columns.lowerBound % block == 0,
            columns.count % block == 0
        else { return nil }
        let (first, last) = (rows.lowerBound * stride + columns.lowerBound, (rows.upperBound - 1) * stride + columns.upperBound)
        precondition(first >= 0 && last <= count, "the range \(first..<last) is outside the \(count) elements")
        return (bytes + format.byteCount(of: first), format.byteCount(of: stride))
    }

    /// Rounds floats to the nearest bfloat16, ties to even, and overwrites a range of the bfloat16 elements. The caller must be
    /// the only user of the memory, as with a key/value cache.
    package func round(_ numbers: UnsafePointer<Float>, into range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range \(range) is outside the \(count) elements")
        Kernels.current.pointee.bf16_round(range.count, numbers, UnsafeMutablePointer(mutating: pointer) + range.lowerBound)
        withExtendedLifetime(self) {}
    }

    /// Whether the memory can be read again after its pages are dropped.
    var isReadableAgain: Bool { owner is any ReadableAgain }

    /// Lets the system reclaim memory that can be read again.
    func releasePages() { release() }
}
