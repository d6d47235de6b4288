// Products of matrices that are rounded to bfloat16, with float sums.

extension Compute {
    /// What the products with weight matrices multiply. Everything else, and all that is stored, is 32-bit floats.
    public enum Precision: String, Sendable, CaseIterable {
        /// 32-bit floats.
        case f32
        /// bfloat16 numbers (8 bits of precision), added up in 32-bit floats.
        case bf16
    }
}

/// A right-hand matrix B [depth, columns] in the order that the kernel reads it.
package final class PackedMatrix: Sendable {
    package let depth: Int
    package let columns: Int
    let storage: Storage

    /// Work is cut at multiples of these many rows, which the blocks of all kernels (6, 16, 32) divide.
    static let rowUnit = 96

    /// Rounds and packs B[p, j] = `pointer[p · depthStride + j · columnStride]`.
    package init(
        depth: Int, columns: Int, _ pointer: UnsafePointer<Float>, depthStride: Int, columnStride: Int
    ) {
        let pairs = (depth + 1) / 2
        let storage = Storage(byteCount: pairs * ((columns + 15) / 16 * 16) * 4)
        let kernels = Kernels.current
        storage.withPairs { out in
            Compute.forEach((columns + ProductParts.panel - 1) / ProductParts.panel) { index in
                let first = index * ProductParts.panel
                kernels.pointee.bf16_pack(
                    min(ProductParts.panel, columns - first), depth, pointer + first * columnStride, depthStride, columnStride,
                    out + first * pairs)
            }
        }
        (self.depth, self.columns, self.storage) = (depth, columns, storage)
    }

    /// Packs a weight [outputs, inputs] that is in bfloat16 already: transposed for x Wᵀ, as it is for dy W.
    fileprivate init(_ weight: NarrowElements, outputs: Int, inputs: Int, transposed: Bool) {
        let (depth, columns) = transposed ? (inputs, outputs) : (outputs, inputs)
        let pairs = (depth + 1) / 2
        let storage = Storage(byteCount: pairs * ((columns + 15) / 16 * 16) * 4)
        let kernels = Kernels.current
        storage.withPairs { out in
            Compute.forEach((columns + ProductParts.panel - 1) / ProductParts.panel) { index in
                let first = index * ProductParts.panel
                let count = min(ProductParts.panel, columns - first)
                // the kernel reads floats: those of one panel at a time, whose rounding changes nothing
                Storage(byteCount: count * depth * 4).withFloats { wide in
                    if transposed {
                        weight.widen(first * inputs..<(first + count) * inputs, into: wide)
                    } else {
                        for row in 0..<outputs {
                            weight.widen(row * inputs + first..<row * inputs + first + count, into: wide + row * count)
                        }
                    }
                    kernels.pointee.bf16_pack(
                        count, depth, wide, transposed ? 1 : count, transposed ? inputs : 1, out + first * pairs)
                }
            }
        }
        (self.depth, self.columns, self.storage) = (depth, columns, storage)
        weight.wereCopied()
    }

    /// C[rows, columns] = A · B + beta · C, with A[i, p] = `a[i · rowStride + p · depthStride]` and beta 0 or 1.
    package func multiply(
        rows: Int, _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, into c: UnsafeMutablePointer<Float>,
        stride: Int,
        beta: Float = 0
    ) {
        let (pairs, kernels) = ((depth + 1) / 2, Kernels.current)
        let isSmall = ProductParts.isSmall(rows, columns, depth)
        Storage(byteCount: Kernels.narrowedPairs(rows: rows, pairs: pairs) * 4).withPairs { narrow in
            Compute.forChunks(rows, grain: isSmall ? rows : max(16, 65_536 / max(1, depth) / 16 * 16)) { range in
                kernels.pointee.bf16_narrow(
                    range.count, depth, a + range.lowerBound * rowStride, rowStride, depthStride,
                    narrow + range.lowerBound * pairs)
            }
            storage.withPairs { packed in
                ProductParts.forEach(rows: rows, columns: columns, depth: depth, rowUnit: Self.rowUnit) { rows, columns in
                    kernels.pointee.bf16_product(
                        rows.count, columns.count, depth, narrow + rows.lowerBound * pairs,
                        packed + columns.lowerBound * pairs,
                        c + rows.lowerBound * stride + columns.lowerBound, stride, beta == 0 ? 0 : 1)
                }
            }
        }
        withExtendedLifetime(self) {}
    }
}

extension Storage {
    /// Calls `body` with the block read as pairs of bfloat16; the block is there until `body` returns.
    func withPairs(_ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        body(pointer.assumingMemoryBound(to: UInt32.self))
        withExtendedLifetime(self) {}
    }

    /// A weight matrix [outputs, inputs] as the right-hand side of x Wᵀ, or of dy W. It is packed once and kept with the weight until
    /// the weight changes.
    func packed(_ weight: Tensor, transposed: Bool) -> PackedMatrix {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let (depth, columns) = transposed ? (inputs, outputs) : (outputs, inputs)
        let known = packings.withLock { transposed ? $0.transposed : $0.plain }
        if let known, known.depth == depth, known.columns == columns {
            return known
        }
        let made =
            narrow.map { PackedMatrix($0, outputs: outputs, inputs: inputs, transposed: transposed) }
            ?? PackedMatrix(
                depth: depth, columns: columns, weight.pointer, depthStride: transposed ? 1 : inputs,
                columnStride: transposed ? inputs : 1)
        packings.withLock { if transposed { $0.transposed = made } else { $0.plain = made } }
        // the floats of a mapped file are seldom needed now, and can be read again
        forget()
        return made
    }
}

/// The products of a linear layer, in the precision of the scope.
enum WeightProduct {
    /// Narrower matrices stay in 32-bit floats: a value head costs nothing, and its output is a score.
    private static func isRounded(_ weight: Tensor) -> Bool {
        Compute.precision == .bf16 && weight.shape[0] >= 16 && weight.shape[1] >= 16
    }

    /// out[rows, outputs] = x Wᵀ; false when the product is one of 32-bit floats.
    static func forward(
        _ x: UnsafePointer<Float>, rows: Int, _ weight: Tensor, into out: UnsafeMutablePointer<Float>
    ) -> Bool {
        guard isRounded(weight) else { return false }
        weight.storage.packed(weight, transposed: true).multiply(
            rows: rows, x, rowStride: weight.shape[1], depthStride: 1, into: out, stride: weight.shape[0])
        return true
    }

    /// dx[rows, inputs] = dy W + beta · dx
    static func inputGradient(
        _ dy: UnsafePointer<Float>, rows: Int, _ weight: Tensor, into dx: UnsafeMutablePointer<Float>, beta: Float = 0
    ) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        if isRounded(weight) {
            weight.storage.packed(weight, transposed: false).multiply(
                rows: rows, dy, rowStride: outputs, depthStride: 1, into: dx, stride: inputs, beta: beta)
        } else if let narrow = weight.storage.narrow {
            NarrowProduct.inputGradient(
                dy, rows: rows, narrow, outputs: outputs, inputs: inputs, into: dx, beta: beta)
        } else {
            FloatProduct.multiply(
                m: rows, n: inputs, k: outputs, .plain(dy, stride: outputs), .plain(weight.pointer, stride: inputs),
                into: dx,
                stride: inputs, beta: beta)
        }
    }

    /// dW[outputs, inputs] = dyᵀ x + beta · dW
    static func weightGradient(
        _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, _ weight: Tensor,
        into dweight: UnsafeMutablePointer<Float>, beta: Float = 0
    ) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        if isRounded(weight) && rows > 0 {
            PackedMatrix(depth: rows, columns: inputs, x, depthStride: inputs, columnStride: 1).multiply(
                rows: outputs, dy, rowStride: 1, depthStride: outputs, into: dweight, stride: inputs, beta: beta)
        } else {
            FloatProduct.multiply(
                m: outputs, n: inputs, k: rows, .transposed(dy, stride: outputs), .plain(x, stride: inputs),
                into: dweight,
                stride: inputs, beta: beta)
        }
    }
}
