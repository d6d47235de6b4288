// Products with few rows, as in a decoding step.

/// out[rows, outputs] = x Wᵀ, where the weight [outputs, inputs] is read once and in place, without packing. Weights in Q8_0 blocks are
/// widened in registers or in the nearest cache, other narrow weights in chunks; the results have the bits of the same weight in floats.
enum FewRowsProduct {
    /// The number of elements that are widened at a time; they stay in the cache.
    private static let widened = 131_072

    /// The number of columns of a part: a multiple of 12, which is a number of whole tiles of the kernels, 3, 4 or 6 columns wide.
    /// - Parameters:
    ///   - weight: the weight, [outputs, inputs].
    ///   - isCut: whether the parts are for several threads.
    static func grain(_ weight: Tensor, isCut: Bool) -> Int {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        if let narrow = weight.storage.narrow, narrow.blocks(rows: 0..<outputs, columns: 0..<inputs, stride: inputs) == nil {
            let parts = isCut ? Compute.threads : 1
            return max(12, min(widened / max(1, inputs), (outputs + parts - 1) / parts) / 12 * 12)
        }
        // more parts than threads, to balance the load
        let parts = isCut ? 4 * Compute.threads : 1
        return ((outputs + parts - 1) / parts + 11) / 12 * 12
    }

    /// Computes some columns of the product on the calling thread. `out` is the first element of the whole product.
    static func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, rows: Int, _ x: UnsafePointer<Float>, _ weight: Tensor, columns: Range<Int>,
        into out: UnsafeMutablePointer<Float>
    ) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        func multiply(_ weights: UnsafePointer<Float>) {
            kernels.pointee.linear_few(rows, columns.count, inputs, x, inputs, weights, out + columns.lowerBound, outputs)
        }
        if let blocks = weight.storage.narrow?.blocks(rows: 0..<outputs, columns: 0..<inputs, stride: inputs) {
            let weights = (blocks.first + columns.lowerBound * blocks.rowBytes).assumingMemoryBound(to: UInt8.self)
            kernels.pointee.q8_linear_few(rows, columns.count, inputs, x, inputs, weights, out + columns.lowerBound, outputs)
        } else if let narrow = weight.storage.narrow {
            Storage(byteCount: columns.count * inputs * 4).withFloats { wide in
                narrow.widen(columns.lowerBound * inputs..<columns.upperBound * inputs, into: wide)
                multiply(wide)
            }
        } else {
            multiply(weight.pointer + columns.lowerBound * inputs)
        }
        withExtendedLifetime(weight) {}
    }
}
