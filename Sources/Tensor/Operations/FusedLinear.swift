// Linear layers for inference.

/// A linear layer, or several that read the same rows, for inference off any tape: y = f(x Wᵀ + b) + r.
///
/// The weights are packed once, in the precision that the layer is made for, and bias, activation and residual are applied to every
/// part of the product while it is in the cache. Every number is one sum in a fixed order: neither the number of threads nor the
/// other rows show in it.
package final class FusedLinear: Sendable {
    /// The function of every element of the product and its bias.
    package enum Following: Sendable { case nothing, relu, gelu, geluTanh }

    private enum Form {
        /// Panels of floats.
        case floats(PackedFloats)
        case rounded(PackedMatrix)
    }

    package let inputs: Int
    package let outputs: Int
    private let bias: Storage
    private let form: Form

    /// The layers' outputs stand one behind the other: weights [Oᵢ, I] and biases [Oᵢ] give rows of ΣOᵢ.
    package init(_ layers: [(weight: Tensor, bias: Tensor?)], precision: Compute.Precision) {
        precondition(
            !layers.isEmpty
                && layers.allSatisfy { $0.weight.shape.rank == 2 && $0.weight.shape[1] == layers[0].weight.shape[1] },
            "layers that are fused need weights of one width, not \(layers.map(\.weight.shape))")
        let inputs = layers[0].weight.shape[1]
        let outputs = layers.reduce(0) { $0 + $1.weight.shape[0] }
        let bias = Storage(byteCount: outputs * 4)
        let weight = Storage(byteCount: outputs * inputs * 4)
        func copy(_ tensor: Tensor, to out: UnsafeMutablePointer<Float>) {
            tensor.withUnsafeBufferPointer { numbers in
                if let base = numbers.baseAddress { out.update(from: base, count: numbers.count) }
            }
        }
        bias.withFloats { bias in
            weight.withFloats { weight in
                var row = 0
                for layer in layers {
                    let count = layer.weight.shape[0]
                    copy(layer.weight, to: weight + row * inputs)
                    (bias + row).update(repeating: 0, count: count)
                    if let own = layer.bias {
                        precondition(own.shape == [count], "a bias of \(own.shape) does not fit a weight \(layer.weight.shape)")
                        copy(own, to: bias + row)
                    }
                    row += count
                }
            }
        }
        (self.inputs, self.outputs, self.bias) = (inputs, outputs, bias)
        form = Self.form(weight, inputs: inputs, outputs: outputs, precision)
    }

    private static func form(_ weight: Storage, inputs: Int, outputs: Int, _ precision: Compute.Precision) -> Form {
        // as in WeightProduct: narrower matrices stay in 32-bit floats
        if precision == .bf16 && inputs >= 16 && outputs >= 16 {
            var packed: PackedMatrix?
            weight.withFloats {
                packed = PackedMatrix(depth: inputs, columns: outputs, $0, depthStride: 1, columnStride: inputs)
            }
            if let packed { return .rounded(packed) }
        }
        return .floats(weight.withFloats { PackedFloats(depth: inputs, columns: outputs, $0, depthStride: 1, columnStride: inputs) })
    }

    /// f(x Wᵀ + b) + residual for x [T, I] and a residual [T, O].
    package func callAsFunction(_ x: Tensor, then following: Following = .nothing, adding residual: Tensor? = nil)
        -> Tensor
    {
        precondition(x.shape.rank == 2 && x.shape[1] == inputs, "a layer of \(inputs) inputs cannot read \(x.shape)")
        let rows = x.shape[0]
        if let residual {
            precondition(
                residual.shape == [rows, outputs], "a residual \(residual.shape) does not fit [\(rows), \(outputs)]")
        }
        defer {
            withExtendedLifetime(x) {}
            withExtendedLifetime(residual) {}
        }
        return Tensor.uninitialized([rows, outputs]) { out in
            guard rows > 0 else { return }
            bias.withFloats { bias in
                let finisher = Finisher(
                    outputs: outputs, bias: bias, following: following, residual: residual?.pointer, out: out)
                switch form {
                case .floats(let packed):
                    packed.multiply(rows: rows, x.pointer, into: out, stride: outputs) { finisher(rows: $0, columns: $1) }
                case .rounded(let packed): multiply(x.pointer, rows, packed, finisher)
                }
            }
        }
    }

    private func multiply(_ x: UnsafePointer<Float>, _ rows: Int, _ packed: PackedMatrix, _ finisher: Finisher) {
        let (kernels, pairs) = (Kernels.current, (inputs + 1) / 2)
        Storage(byteCount: Kernels.narrowedPairs(rows: rows, pairs: pairs) * 4).withPairs { narrow in
            Compute.forRows(rows, width: inputs) { range in
                kernels.pointee.bf16_narrow(
                    range.count, inputs, x + range.lowerBound * inputs, inputs, 1, narrow + range.lowerBound * pairs)
            }
            packed.storage.withPairs { panels in
                ProductParts.forEach(rows: rows, columns: outputs, depth: inputs, rowUnit: PackedMatrix.rowUnit) { rows, columns in
                    kernels.pointee.bf16_product(
                        rows.count, columns.count, inputs, narrow + rows.lowerBound * pairs,
                        panels + columns.lowerBound * pairs,
                        finisher.out + rows.lowerBound * outputs + columns.lowerBound, outputs, 0)
                    finisher(rows: rows, columns: columns)
                }
            }
        }
    }

    /// What is done to a block of products.
    private struct Finisher {
        let outputs: Int
        let bias: UnsafePointer<Float>
        let following: Following
        let residual: UnsafePointer<Float>?
        let out: UnsafeMutablePointer<Float>
        /// Those of the thread that shares the work out: others do not see what a test asks for.
        let kernels = Kernels.current

        func callAsFunction(rows: Range<Int>, columns: Range<Int>) {
            let first = rows.lowerBound * outputs + columns.lowerBound
            kernels.pointee.finish(
                rows.count, columns.count, bias + columns.lowerBound, Kernels.activation(following),
                residual.map { $0 + first },
                outputs, out + first, outputs)
        }
    }
}
