// The three products of a linear layer, each computed as `ProductTable` decides.

extension Compute {
    /// The matmul precision of products with weight matrices. Everything else, and everything that is stored, uses 32-bit floats.
    public enum Precision: String, Sendable, CaseIterable {
        /// 32-bit floats.
        case f32
        /// bfloat16 factors (8 significant bits), accumulated in 32-bit floats.
        case bf16
    }
}

/// The products with a weight [outputs, inputs], in the precision of the scope.
enum LinearProducts {
    /// out[rows, outputs] = x Wᵀ + beta · out. For fewer rows than ``ProductTable/manyRows``, beta must be 0.
    static func forward(
        _ x: UnsafePointer<Float>, rows: Int, _ weight: Tensor, into out: UnsafeMutablePointer<Float>, beta: Float = 0
    ) { multiply(.forward, .plain(x, stride: weight.shape[1]), rows: rows, weight, into: out, beta: beta) }

    /// dx[rows, inputs] = dy W + beta · dx.
    static func inputGradient(
        _ dy: UnsafePointer<Float>, rows: Int, _ weight: Tensor, into dx: UnsafeMutablePointer<Float>, beta: Float = 0
    ) { multiply(.inputGradient, .plain(dy, stride: weight.shape[0]), rows: rows, weight, into: dx, beta: beta) }

    /// dW[outputs, inputs] = dyᵀ x + beta · dW. Only the shape of the weight is needed.
    static func weightGradient(
        _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, _ shape: Shape, into dweight: UnsafeMutablePointer<Float>,
        beta: Float = 0
    ) {
        let kernels = Kernels.current
        let (outputs, inputs) = (shape[0], shape[1])
        let (a, b) = (MatrixView.transposed(dy, stride: outputs), RightHandMatrix.floats(.plain(x, stride: inputs)))
        let plan = Kernels.plan(kernels, .weightGradient, rows: rows, outputs: outputs, inputs: inputs, storage: .f32)
        switch plan {
        case .narrow: NarrowGradient.multiply(kernels, dy, x, rows: rows, shape, into: dweight, beta: beta)
        case .packedOnce(let format):
            PackedWeight(kernels, format, depth: rows, columns: inputs, b).multiply(
                rows: outputs, a, into: dweight, stride: inputs, beta: beta)
        case .packedInPassing(let format):
            MatrixProduct.multiply(kernels, format, m: outputs, n: inputs, k: rows, a, b, into: dweight, stride: inputs, beta: beta)
        case .fewRows, .packedAndKept: preconditionFailure("the plan \(plan) does not apply to the gradient of a weight")
        }
    }

    /// A · Wᵀ in the forward pass, A · W for the gradient.
    private static func multiply(
        _ kind: ProductQuestion.Kind, _ a: MatrixView, rows: Int, _ weight: Tensor, into c: UnsafeMutablePointer<Float>, beta: Float
    ) {
        let kernels = Kernels.current
        let (outputs, inputs, isForward) = (weight.shape[0], weight.shape[1], kind == .forward)
        let (depth, columns) = isForward ? (inputs, outputs) : (outputs, inputs)
        let plan = Kernels.plan(
            kernels, kind, rows: rows, outputs: outputs, inputs: inputs, storage: weight.storage.format,
            keepsPacking: weight.storage.keepsPacking)
        switch plan {
        case .fewRows where isForward && beta == 0: FewRowsProduct.multiply(kernels, rows: rows, a.pointer, weight, into: c)
        case .packedAndKept(let format):
            WeightPackings.packed(kernels, format, weight, transposed: isForward).multiply(
                rows: rows, a, into: c, stride: columns, beta: beta)
        case .packedInPassing(let format):
            MatrixProduct.multiply(
                kernels, format, m: rows, n: columns, k: depth, a, RightHandMatrix(weight, transposed: isForward), into: c, stride: columns,
                beta: beta)
        case .fewRows, .narrow, .packedOnce: preconditionFailure("the plan \(plan) does not apply to a product with a weight")
        }
        withExtendedLifetime(weight) {}
    }
}
