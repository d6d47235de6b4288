// The three products of a linear layer, each computed as `ProductTable` decides. Those with a weight are groups of one product.

extension Compute {
    /// The precision of products with weight matrices and, on processors with instructions for bfloat16, of attention. Everything else
    /// uses 32-bit floats. So does everything that is stored, except activations and gradients that only products in bf16 read: they are
    /// rounded where they are made, or once for all products.
    public enum Precision: String, Sendable, CaseIterable {
        /// 32-bit floats.
        case f32
        /// bfloat16 factors (8 significant bits), accumulated in 32-bit floats.
        case bf16
    }
}

extension Tensor {
    /// Whether a linear layer with this weight [O, I] reads its input, a matrix [rows, I], only in products that round it to bfloat16.
    /// Operations can then make the input rounded. False for few rows, as in decoding, where that gains nothing.
    /// - Parameters:
    ///   - rows: the number of rows of the input.
    ///   - isTrained: whether the weight has a gradient.
    package func roundsInput(rows: Int, isTrained: Bool) -> Bool {
        rows >= ProductTable.manyRows && LinearProducts.roundsRows(.forward, rows: rows, self)
            && (!isTrained || LinearProducts.roundsRows(.weightGradient, rows: rows, self))
    }
}

/// The products with a weight [outputs, inputs], in the precision of the scope. Rows are floats, or rounded once for several products
/// (``ProductRows``).
enum LinearProducts {
    /// out[rows, outputs] = x Wᵀ + beta · out. For fewer rows than ``ProductTable/manyRows``, beta must be 0.
    static func forward(
        _ x: ProductRows, rows: Int, _ weight: Tensor, into out: UnsafeMutablePointer<Float>, beta: Float = 0
    ) { forward([Member(rows: x, weight: weight, out: out)], rows: rows, beta: beta) }

    /// dx[rows, inputs] = dy W + beta · dx.
    static func inputGradient(
        _ dy: ProductRows, rows: Int, _ weight: Tensor, into dx: UnsafeMutablePointer<Float>, beta: Float = 0
    ) { inputGradient([(dy, weight)], rows: rows, into: dx, beta: beta) }

    /// dW[outputs, inputs] = dyᵀ x + beta · dW. Only the shape of the weight is needed.
    ///
    /// If `packedInput` is given, it holds the packed x for further gradients with the same x.
    static func weightGradient(
        _ dy: ProductRows, _ x: ProductRows, rows: Int, _ shape: Shape, into dweight: UnsafeMutablePointer<Float>, beta: Float = 0,
        packedInput: PackedInput? = nil
    ) {
        let kernels = Kernels.current
        let (outputs, inputs) = (shape[0], shape[1])
        let plan = Kernels.plan(kernels, .weightGradient, rows: rows, outputs: outputs, inputs: inputs, storage: .f32)
        switch plan {
        case .narrow:
            dy.withFloats { dy in
                x.withFloats { NarrowGradient.multiply(kernels, dy, $0, rows: rows, shape, into: dweight, beta: beta) }
            }
        case .packedOnce(.bf16):
            let packed: PackedWeight
            if let known = packedInput?.matrix {
                packed = known
            } else {
                packed =
                    switch x {
                    case .floats(let x): PackedWeight(kernels, .bf16, depth: rows, columns: inputs, .floats(.plain(x, stride: inputs)))
                    case .rounded(let x): PackedWeight(kernels, x)
                    }
                packedInput?.matrix = packed
            }
            dy.rounded(kernels, rows: rows, width: outputs).forEachColumns(kernels) { columns, rows in
                packed.multiply(rows: columns.count, rows, into: dweight + columns.lowerBound * inputs, stride: inputs, beta: beta)
            }
        case .packedInPassing(let format):
            dy.withFloats { dy in
                x.withFloats { x in
                    MatrixProduct.multiply(
                        kernels, format, m: outputs, n: inputs, k: rows, .transposed(dy, stride: outputs),
                        .floats(.plain(x, stride: inputs)), into: dweight, stride: inputs, beta: beta)
                }
            }
        case .fewRows, .packedAndKept, .packedOnce: preconditionFailure("the plan \(plan) does not apply to the gradient of a weight")
        }
    }

    /// Whether a product rounds its rows to bfloat16, in a form that other products can share (``RoundedRows``).
    static func roundsRows(_ kind: ProductQuestion.Kind, rows: Int, _ weight: Tensor) -> Bool {
        plan(kind, rows: rows, weight).panelFormat == .bf16
    }

    /// The rows dy [rows, outputs] for both gradients, ``inputGradient(_:rows:_:into:beta:)`` and
    /// ``weightGradient(_:_:rows:_:into:beta:)``: rounded, if both round them.
    static func sharedByGradients(_ dy: UnsafePointer<Float>, rows: Int, _ weight: Tensor) -> ProductRows {
        guard roundsRows(.inputGradient, rows: rows, weight), roundsRows(.weightGradient, rows: rows, weight) else {
            return .floats(dy)
        }
        return .rounded(ProductRows.floats(dy).rounded(Kernels.current, rows: rows, width: weight.shape[0]))
    }

    static func plan(_ kind: ProductQuestion.Kind, rows: Int, _ weight: Tensor) -> ProductPlan {
        Kernels.plan(
            Kernels.current, kind, rows: rows, outputs: weight.shape[0], inputs: weight.shape[1], storage: weight.storage.format,
            keepsPacking: weight.storage.keepsPacking)
    }
}

/// The input of several layers, packed as the right-hand matrix of the gradients of their weights once one of them needs it.
final class PackedInput {
    var matrix: PackedWeight?
}
