// Linear layers for inference.

/// A linear layer, or several with the same input, for inference without a tape: y = f(x Wᵀ + b) + r.
///
/// The weights are packed once, in the precision that the layer is created with. Bias, activation and residual are applied to
/// each block of the product while it is in the cache. Every element is one sum in a fixed order: the result does not depend on
/// the number of threads or on the other rows.
package final class FusedLinear: Sendable {
    /// The activation function f, applied to the product plus bias.
    package enum Following: Sendable { case nothing, relu, gelu, geluTanh }

    package let inputs: Int
    package let outputs: Int
    private let bias: Storage
    private let weight: PackedWeight

    /// Creates a layer from weights [Oᵢ, I] and biases [Oᵢ], whose outputs are concatenated to rows of Σ Oᵢ.
    package init(_ layers: [(weight: Tensor, bias: Tensor?)], precision: Compute.Precision) {
        precondition(
            !layers.isEmpty
                && layers.allSatisfy { $0.weight.shape.rank == 2 && $0.weight.shape[1] == layers[0].weight.shape[1] },
            "fused layers need weights of the same width, not \(layers.map(\.weight.shape))")
        let inputs = layers[0].weight.shape[1]
        let outputs = layers.reduce(0) { $0 + $1.weight.shape[0] }
        (self.inputs, self.outputs) = (inputs, outputs)
        bias = Self.biases(layers, count: outputs)
        let kernels = Kernels.current
        // the same plan serves any number of rows
        let plan = Kernels.plan(
            kernels, .inference, rows: ProductTable.manyRows, outputs: outputs, inputs: inputs, storage: .f32, precision: precision)
        guard case .packedAndKept(let format) = plan else {
            preconditionFailure("a layer for inference must be packed and kept, not \(plan)")
        }
        let all = layers.count == 1 ? layers[0].weight : Tensor.stacked(layers.map(\.weight))
        weight = PackedWeight(kernels, format, depth: inputs, columns: outputs, RightHandMatrix(all, transposed: true))
        withExtendedLifetime(all) {}
    }

    /// The concatenated biases of the layers; zeros for those without one.
    private static func biases(_ layers: [(weight: Tensor, bias: Tensor?)], count: Int) -> Storage {
        let biases = Storage(byteCount: count * 4)
        biases.withFloats { out in
            var row = 0
            for layer in layers {
                let count = layer.weight.shape[0]
                if let bias = layer.bias {
                    precondition(bias.shape == [count], "a bias of \(bias.shape) does not match a weight \(layer.weight.shape)")
                    bias.copyFloats(to: out + row)
                } else {
                    (out + row).update(repeating: 0, count: count)
                }
                row += count
            }
        }
        return biases
    }

    /// Applies the layer: f(x Wᵀ + b) + residual, for x [T, I] and an optional residual [T, O].
    package func callAsFunction(_ x: Tensor, then following: Following = .nothing, adding residual: Tensor? = nil)
        -> Tensor
    {
        precondition(x.shape.rank == 2 && x.shape[1] == inputs, "a layer of \(inputs) inputs cannot read \(x.shape)")
        let rows = x.shape[0]
        if let residual {
            precondition(
                residual.shape == [rows, outputs], "a residual \(residual.shape) does not match [\(rows), \(outputs)]")
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
                weight.multiply(rows: rows, .plain(x.pointer, stride: inputs), into: out, stride: outputs) {
                    finisher(rows: $0, columns: $1)
                }
            }
        }
    }

    /// Applies bias, activation and residual to a block of the product.
    private struct Finisher {
        let outputs: Int
        let bias: UnsafePointer<Float>
        let following: Following
        let residual: UnsafePointer<Float>?
        let out: UnsafeMutablePointer<Float>
        /// The kernels of the scope, looked up once for all blocks.
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
