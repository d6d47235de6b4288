/// Products in 32-bit floats with a weight that is kept in bfloat16.
///
/// Blocks of its rows are widened into memory that stays in the cache and multiplied there, by the routines that floats are multiplied
/// by: every number is the sum that it would be if the whole weight were floats, in the same order.
enum NarrowProduct {
    /// Floats of a block: small ones for few rows, where a block is read once; larger ones where x is packed again for every block.
    private static let (few, many) = (131_072, 1_000_000)

    /// out[rows, outputs] = x Wᵀ for a weight [outputs, inputs].
    static func forward(
        _ x: UnsafePointer<Float>, rows: Int, _ weight: NarrowElements, outputs: Int, inputs: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        func eachBlock(_ rows: Range<Int>, _ multiply: (UnsafePointer<Float>) -> Void) {
            Storage(byteCount: rows.count * inputs * 4).withFloats { block in
                weight.widen(rows.lowerBound * inputs..<rows.upperBound * inputs, into: block)
                multiply(block)
            }
        }
        if rows < Linear.fewRows {
            let kernels = Kernels.current
            let parts = rows * inputs * outputs < 50_000 ? 1 : Compute.threads
            let grain = min(few / max(1, inputs), (outputs + parts - 1) / parts) / 4 * 4
            Compute.forChunks(outputs, grain: max(4, grain)) { part in
                eachBlock(part) { block in
                    kernels.pointee.linear_few(
                        rows, part.count, inputs, x, inputs, block, out + part.lowerBound, outputs)
                }
            }
            return
        }
        if outputs == 0 { return }
        if inputs == 0 { return out.update(repeating: 0, count: rows * outputs) }
        // as many blocks for every thread, none so small that OpenBLAS would choose another kernel for it (see BLAS.multiply), and
        // their borders at multiples of 16, where its tiles have theirs
        let threads = max(1, Compute.threads)
        let wanted = (max(threads, outputs * inputs / many) + threads - 1) / threads * threads
        let count = max(1, min(wanted, outputs / 64, rows * inputs * outputs / 4_000_000))
        Compute.forEach(count) { index in
            let first = outputs / 16 * index / count * 16
            let last = index + 1 == count ? outputs : outputs / 16 * (index + 1) / count * 16
            eachBlock(first..<last) { block in
                BLAS.multiplyPart(
                    m: rows, n: last - first, k: inputs, .plain(x, stride: inputs), .transposed(block, stride: inputs),
                    into: out + first, stride: outputs)
            }
        }
    }
}
