// Gradients of weights with a short side, such as the two matrices of a LoRA adapter.

/// dW[outputs, inputs] = dyᵀ x + beta · dW with few outputs or few inputs.
///
/// Such a product is bound by memory bandwidth. The wider of dy and x is read in place, without packing, once for every few
/// columns of the narrower one. Sums are in the same order as with packed panels.
enum NarrowGradient {
    /// The number of columns of the wide matrix that a thread processes at a time, and the number of their rows that stay in the
    /// L1 cache meanwhile.
    private static let (columns, depth) = (64, 64)

    static func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, _ shape: Shape,
        into dweight: UnsafeMutablePointer<Float>, beta: Float
    ) {
        let (outputs, inputs) = (shape[0], shape[1])
        if outputs <= inputs {
            multiply(kernels, narrow: dy, outputs, wide: x, inputs, rows: rows, into: dweight, beta: beta)
        } else {
            // compute the transposed gradient, whose rows are long
            Storage(byteCount: outputs * inputs * 4).withFloats { turned in
                if beta != 0 { Self.turn(dweight, rows: outputs, columns: inputs, into: turned) }
                multiply(kernels, narrow: x, inputs, wide: dy, outputs, rows: rows, into: turned, beta: beta)
                Self.turn(turned, rows: inputs, columns: outputs, into: dweight)
            }
        }
    }

    /// C[few, many] = Nᵀ W + beta · C with N [rows, few] and W [rows, many].
    private static func multiply(
        _ kernels: UnsafePointer<Kernels.Table>, narrow: UnsafePointer<Float>, _ few: Int, wide: UnsafePointer<Float>, _ many: Int,
        rows: Int,
        into c: UnsafeMutablePointer<Float>, beta: Float
    ) {
        if rows == 0, beta == 0 { c.update(repeating: 0, count: few * many) }
        let isSmall = ProductParts.isSmall(few, many, rows)
        Compute.forChunks((many + columns - 1) / columns, grain: isSmall ? many : 1) { parts in
            for part in parts {
                let range = part * columns..<min(many, (part + 1) * columns)
                for from in stride(from: 0, to: rows, by: depth) {
                    kernels.pointee.product(
                        few, range.count, min(depth, rows - from), narrow + from * few, 1, few, wide + from * many + range.lowerBound, many,
                        c + range.lowerBound, many, from > 0 || beta != 0 ? 1 : 0)
                }
            }
        }
    }

    /// Transposes a matrix: the result is [columns, rows].
    private static func turn(_ matrix: UnsafePointer<Float>, rows: Int, columns: Int, into out: UnsafeMutablePointer<Float>) {
        for column in 0..<columns {
            for row in 0..<rows { out[column * rows + row] = matrix[row * columns + column] }
        }
    }
}
