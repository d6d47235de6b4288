import ShortFloats
import Synchronization

/// A number that is too large for a narrow format, or not finite.
package struct RoundingError: Error, Equatable, CustomStringConvertible {
    /// The format.
    package let format: NumberFormat
    /// The index of the first number that cannot be represented; for blocks, of the first number of their block.
    package let index: Int

    package var description: String {
        let place = format == .q8 ? "the 32 numbers from index \(index) contain one" : "the number at index \(index) is one"
        return "cannot round to \(format.name): \(place) that is too large for the format or is not finite"
    }
}

extension NarrowElements {
    /// The number of elements that a thread rounds at a time; a multiple of the blocks of all formats.
    private static let grain = 131_072

    /// Rounds numbers to a narrow format, in newly allocated memory: to the nearest number of 16 bits, ties to even, or to
    /// blocks as ``Q8Block`` does. Rounding the result again gives the same bytes. Products keep no packed copies of it (``keepsPacking``).
    ///
    /// A mapped file that the numbers are read from stays mapped, as the ``original``, and its pages are released: what only the
    /// rounding reads would stay in memory. Elements that have an original themselves are rounded from it.
    /// - Parameters:
    ///   - source: the numbers, as floats or in a narrow format.
    ///   - count: the number of elements.
    ///   - format: any format but ``NumberFormat/f32``.
    ///   - keepsOriginal: whether the result has an ``original``. Numbers that are going to change have none.
    /// - Throws: ``RoundingError``.
    package static func rounding(
        _ source: Storage, count: Int, to format: NumberFormat, keepsOriginal: Bool = true
    ) throws -> NarrowElements {
        precondition(source.byteCount >= 4 * count, "a storage of \(source.byteCount / 4) elements has no \(count)")
        let source = source.narrow?.original ?? source
        defer { source.forget() }
        let block = Storage(byteCount: format.byteCount(of: count))
        let failed = Mutex<Int?>(nil)
        nonisolated(unsafe) let bytes = block.pointer
        Compute.forChunks(count, grain: grain) { range in
            let bad = source.withFloats(range, filledTo: Q8Block.count) { numbers in
                let out = bytes + format.byteCount(of: range.lowerBound)
                switch format {
                case .f32: preconditionFailure("32-bit floats are not narrow")
                case .bf16: return round(numbers, range.count, into: out, infinity: 0x7F80, FloatConversion.narrowToBFloat16)
                case .f16: return round(numbers, range.count, into: out, infinity: 0x7C00, FloatConversion.narrowToFloat16)
                case .q8:
                    let blocks = (range.count + Q8Block.count - 1) / Q8Block.count
                    let done = Kernels.current.pointee.q8_round(blocks, numbers, out.assumingMemoryBound(to: UInt8.self))
                    return done < blocks ? done * Q8Block.count : nil
                }
            }
            if let bad { failed.withLock { $0 = min($0 ?? .max, range.lowerBound + bad) } }
        }
        if let index = failed.withLock({ $0 }) { throw RoundingError(format: format, index: index) }
        return NarrowElements(
            format, block.pointer, count: count, keepsPacking: false, original: keepsOriginal ? source.readAgain : nil, owner: block)
    }

    /// Writes little-endian numbers of 16 bits; returns the index of the first one that is not finite.
    @inline(__always)
    private static func round(
        _ numbers: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutableRawPointer, infinity: UInt16, _ narrow: (Float) -> UInt16
    ) -> Int? {
        let out = out.assumingMemoryBound(to: UInt16.self)
        var bad: Int?
        for index in 0..<count {
            let bits = narrow(numbers[index])
            out[index] = bits.littleEndian
            if bits & infinity == infinity, bad == nil { bad = index }
        }
        return bad
    }
}

extension Storage {
    /// Calls `body` with the elements of a range as floats, followed by zeros up to a multiple of `unit`. They are copied if they are
    /// narrow or need zeros.
    fileprivate func withFloats<Result>(_ range: Range<Int>, filledTo unit: Int, _ body: (UnsafePointer<Float>) -> Result) -> Result {
        let missing = (unit - range.count % unit) % unit
        if narrow == nil, missing == 0 { return withFloats { body($0 + range.lowerBound) } }
        return Storage(byteCount: 4 * (range.count + missing)).withFloats { floats in
            copyFloats(range, to: floats)
            (floats + range.count).update(repeating: 0, count: missing)
            return body(floats)
        }
    }
}
