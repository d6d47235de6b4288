// Products with few rows, as in a decoding step.

/// out[rows, outputs] = x Wᵀ, where the weight [outputs, inputs] is read once and in place, without packing.
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
        // parts of a multiple of 12 columns: whole tiles of the kernel, which are 3 or 6 columns wide
        if let narrow = weight.storage.narrow {
            let parts = isCut ? Compute.threads : 1
            let grain = min(widened / max(1, inputs), (outputs + parts - 1) / parts) / 12 * 12
            Compute.forChunks(outputs, grain: max(12, grain)) { part in
                Storage(byteCount: part.count * inputs * 4).withFloats { wide in
                    narrow.widen(part.lowerBound * inputs..<part.upperBound * inputs, into: wide)
                    multiply(part, wide)
                }
            }
        } else {
            // more parts than threads, to balance the load
            let parts = isCut ? 4 * Compute.threads : 1
            let (grain, weights) = (((outputs + parts - 1) / parts + 11) / 12 * 12, weight.pointer)
            Compute.forChunks(outputs, grain: grain) { part in multiply(part, weights + part.lowerBound * inputs) }
        }
    }
}
