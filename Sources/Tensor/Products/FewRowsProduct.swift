// Products with few rows, as in a decoding step.

/// out[rows, outputs] = x Wᵀ, where the weight [outputs, inputs] is read once and in place, without packing. Weights in Q8_0 blocks are
/// widened in registers or in the nearest cache, other narrow weights in chunks; the results have the bits of the same weight in floats.
enum FewRowsProduct {
    /// The number of elements that are widened at a time; they stay in the cache.
    private static let widened = 131_072
    /// Products with fewer multiplications are not split among threads.
    private static let small = 50_000

    static func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, rows: Int, _ x: UnsafePointer<Float>, _ weight: Tensor,
        into out: UnsafeMutablePointer<Float>
    ) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let isCut = rows * inputs * outputs >= small
        func multiply(_ part: Range<Int>, _ weights: UnsafePointer<Float>) {
            kernels.pointee.linear_few(rows, part.count, inputs, x, inputs, weights, out + part.lowerBound, outputs)
        }
        // more parts than threads, to balance the load; parts of a multiple of 12 columns: whole tiles of the kernels, which are 3, 4
        // or 6 columns wide
        let parts = isCut ? 4 * Compute.threads : 1
        let grain = ((outputs + parts - 1) / parts + 11) / 12 * 12
        guard let narrow = weight.storage.narrow else {
            let weights = weight.pointer
            return Compute.forChunks(outputs, grain: grain) { part in multiply(part, weights + part.lowerBound * inputs) }
        }
        if let blocks = narrow.blocks(rows: 0..<outputs, columns: 0..<inputs, stride: inputs) {
            Compute.forChunks(outputs, grain: grain) { part in
                let weights = (blocks.first + part.lowerBound * blocks.rowBytes).assumingMemoryBound(to: UInt8.self)
                kernels.pointee.q8_linear_few(rows, part.count, inputs, x, inputs, weights, out + part.lowerBound, outputs)
            }
        } else {
            let threads = isCut ? Compute.threads : 1
            let grain = min(widened / max(1, inputs), (outputs + threads - 1) / threads) / 12 * 12
            Compute.forChunks(outputs, grain: max(12, grain)) { part in
                Storage(byteCount: part.count * inputs * 4).withFloats { wide in
                    narrow.widen(part.lowerBound * inputs..<part.upperBound * inputs, into: wide)
                    multiply(part, wide)
                }
            }
        }
        withExtendedLifetime(narrow) {}
    }
}
