/// Products in 32-bit floats with a weight that is kept in bfloat16.
///
/// Blocks of its rows are widened into memory that stays in the cache and multiplied there, by the routines that floats are multiplied
/// by: every number is the sum that it would be if the whole weight were floats, in the same order.
enum NarrowProduct {
    /// Floats of a block: few for few rows, where a block is read once; larger ones where x is packed again for every block.
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
        let kernels = Kernels.current
        if rows < Linear.fewRows {
            let parts = rows * inputs * outputs < 50_000 ? 1 : Compute.threads
            let grain = min(few / max(1, inputs), (outputs + parts - 1) / parts) / 12 * 12
            Compute.forChunks(outputs, grain: max(12, grain)) { part in
                eachBlock(part) { block in
                    kernels.pointee.linear_few(
                        rows, part.count, inputs, x, inputs, block, out + part.lowerBound, outputs)
                }
            }
            return
        }
        if outputs == 0 { return }
        if inputs == 0 { return out.update(repeating: 0, count: rows * outputs) }
        eachPart(of: outputs, floats: many / inputs, operations: rows * inputs * outputs) { part in
            eachBlock(part) { block in
                FloatProduct.multiplyPart(
                    kernels, m: rows, n: part.count, k: inputs, .plain(x, stride: inputs), .transposed(block, stride: inputs),
                    into: out + part.lowerBound, stride: outputs)
            }
        }
    }

    /// dx[rows, inputs] = dy W + beta · dx for a weight [outputs, inputs].
    static func inputGradient(
        _ dy: UnsafePointer<Float>, rows: Int, _ weight: NarrowElements, outputs: Int, inputs: Int,
        into dx: UnsafeMutablePointer<Float>, beta: Float
    ) {
        if rows == 0 || inputs == 0 { return }
        if outputs == 0 {
            if beta == 0 { dx.update(repeating: 0, count: rows * inputs) }
            return
        }
        let kernels = Kernels.current
        // dy is as wide as the weight is long: blocks of few columns would have it packed many times
        eachPart(of: inputs, floats: 16 * many / outputs, operations: rows * inputs * outputs) { part in
            Storage(byteCount: outputs * part.count * 4).withFloats { block in
                for row in 0..<outputs {
                    weight.widen(
                        row * inputs + part.lowerBound..<row * inputs + part.upperBound, into: block + row * part.count)
                }
                FloatProduct.multiplyPart(
                    kernels, m: rows, n: part.count, k: outputs, .plain(dy, stride: outputs), .plain(block, stride: part.count),
                    into: dx + part.lowerBound, stride: inputs, beta: beta)
            }
        }
    }

    /// Cuts the rows or columns of a weight into about as many as given, equally many parts for every thread; none so small that
    /// packing it would cost more than it saves, and their borders at multiples of 16, where the kernels' tiles have theirs.
    private static func eachPart(of size: Int, floats: Int, operations: Int, _ body: (Range<Int>) -> Void) {
        let threads = max(1, Compute.threads)
        let wanted = (max(threads, size / max(1, floats)) + threads - 1) / threads * threads
        let count = max(1, min(wanted, size / 64, operations / 4_000_000))
        Compute.forEach(count) { index in
            let first = size / 16 * index / count * 16
            body(first..<(index + 1 == count ? size : size / 16 * (index + 1) / count * 16))
        }
    }
}
