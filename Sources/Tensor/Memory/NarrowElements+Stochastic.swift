// Stochastic rounding (Gupta et al. 2015, "Deep learning with limited numerical precision"): weights that are kept in bfloat16 change
// by the right amount on average, also where a step is smaller than the distance of two numbers of the format.

extension NarrowElements {
    /// Rounds floats to bfloat16, in newly allocated memory. Each becomes one of the two nearest numbers, the upper one with a
    /// probability of its distance from the lower one, so that the expected result is the float. Numbers that bfloat16 represents stay
    /// as they are. Products keep no packed copies of the result (``keepsPacking``).
    ///
    /// The random bits of element i are the half-word i mod 8 of block ⌊i / 8⌋ of the generator, so the result does not depend on the
    /// number of threads. The generator's state does not change.
    package static func roundingStochastically(_ numbers: Tensor, with random: Philox) -> NarrowElements {
        let floats = numbers.widened()
        let count = floats.count
        let block = Storage(byteCount: NumberFormat.bf16.byteCount(of: count))
        let settings = Kernels.Dropout(key0: random.key0, key1: random.key1, stream: random.stream, threshold: 0, scale: 1, rows: nil)
        let kernels = Kernels.current
        let (from, to) = (floats.pointer, block.pointer.assumingMemoryBound(to: UInt16.self))
        // a multiple of the 8 elements of a block of random bits
        Compute.forChunks(count, grain: 16_384) { range in
            let first = range.lowerBound
            withUnsafePointer(to: settings) {
                kernels.pointee.bf16_stochastic(range.count, UInt64(first), $0, from + first, to + first)
            }
        }
        withExtendedLifetime(floats) {}
        return NarrowElements(.bf16, block.pointer, count: count, keepsPacking: false, owner: block)
    }
}
