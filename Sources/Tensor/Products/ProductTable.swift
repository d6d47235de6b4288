// The only place that decides which kernel computes a product and whether and how its weight is packed.

/// A product and everything that determines how it is computed.
///
/// The product has T rows; a weight W is [outputs, inputs].
package struct ProductQuestion: Sendable {
    /// The kind of product.
    package enum Kind: CaseIterable, Sendable {
        /// x Wᵀ, the output of a linear layer: [T, inputs] → [T, outputs].
        case forward
        /// dy W, the gradient of a linear layer's input: [T, outputs] → [T, inputs].
        case inputGradient
        /// dyᵀ x, the gradient of a linear layer's weight: [outputs, inputs].
        case weightGradient
        /// x Wᵀ of a layer for inference, whose weight is packed once for any number of rows.
        case inference
        /// A · B of two matrices, neither of which is a weight: [T, inputs] · [inputs, outputs].
        case matrices
    }

    package var kind: Kind
    package var rows: Int
    package var outputs: Int
    package var inputs: Int
    /// The storage format of the weight.
    package var storage: NumberFormat = .f32
    /// Whether a packed copy of the weight may be kept (``Storage/keepsPacking``). It has no influence on the result.
    package var keepsPacking = true
    package var precision: Compute.Precision = .f32
    /// Whether the kernels multiply floats in matrix tile registers.
    package var hasTiles = false

    package init(
        _ kind: Kind, rows: Int, outputs: Int, inputs: Int, storage: NumberFormat = .f32, keepsPacking: Bool = true,
        precision: Compute.Precision = .f32, hasTiles: Bool = false
    ) {
        (self.kind, self.rows, self.outputs, self.inputs) = (kind, rows, outputs, inputs)
        (self.storage, self.keepsPacking, self.precision, self.hasTiles) = (storage, keepsPacking, precision, hasTiles)
    }

    /// The sizes of the right-hand matrix of the product, [depth, columns].
    var depth: Int {
        switch kind {
        case .forward, .inference, .matrices: inputs
        case .inputGradient: outputs
        case .weightGradient: rows
        }
    }
    var columns: Int {
        switch kind {
        case .forward, .inference, .matrices: outputs
        case .inputGradient, .weightGradient: inputs
        }
    }
}

/// How a product is computed: the answer of ``ProductTable``.
package enum ProductPlan: Equatable, Sendable {
    /// The weight is read once, row by row, without packing (``FewRowsProduct``).
    case fewRows
    /// The weight has one side so short that packing would cost more than the product: the other matrix is read in place
    /// (``NarrowGradient``).
    case narrow
    /// The right-hand matrix is packed block by block during the multiplication (``MatrixProduct``).
    case packedInPassing(PanelFormat)
    /// The right-hand matrix is packed completely, for this product only (``PackedWeight``).
    case packedOnce(PanelFormat)
    /// The weight is packed completely, and the copy is kept: with the weight until it changes, or with the layer
    /// (``PackedWeight``).
    case packedAndKept(PanelFormat)
}

/// The decision table: rows × shape × storage format × precision × processor → kernel.
///
/// The first matching line applies. Since the choice affects the last bits of a result, it may depend only on the question: not
/// on the number of threads, and not on how a weight is stored. A weight in a narrow format gets the same plan as the equal weight
/// in floats, and is widened a block at a time where the plan reads it (``RightHandMatrix``). Only how long packed panels are kept
/// may depend on more: panels of the same ``PanelFormat`` give the same bits, whether they are kept or packed on the fly.
package enum ProductTable {
    /// The number of rows from which packing the weight costs less than reading it row by row.
    package static let manyRows = 48
    /// Weights with a shorter side are not rounded to bfloat16: a value head costs next to nothing, and its output is a score.
    package static let leastRounded = 16
    /// The longest short side of a weight, such as the rank of an adapter, for whose gradient nothing is packed. Sums of floats
    /// have the same bits either way.
    package static let narrow = 64
    /// The same limit in bf16 precision; such gradients are computed in 32-bit floats, without rounding.
    package static let narrowRounded = 16
    /// The smallest depth and number of columns for tiles: in tiles of 16 by 32 a smaller matrix would be mostly zeros.
    package static let leastTiled = 16

    /// The plan for a product.
    package static func plan(for question: ProductQuestion) -> ProductPlan {
        let isRounded =
            question.precision == .bf16 && question.kind != .matrices && question.rows > 0 && question.outputs >= leastRounded
            && question.inputs >= leastRounded
        let isFew = question.rows < manyRows
        let side = min(question.outputs, question.inputs)
        let isNarrow = question.kind == .weightGradient && side <= (isRounded ? narrowRounded : narrow)
        let isTiled = question.hasTiles && question.depth >= leastTiled && question.columns >= leastTiled

        // swift-format-ignore
        return switch (question.kind, isRounded, isFew, isTiled) {
        case (.weightGradient, true,    _,     _    ) where isNarrow: .narrow
        case (.weightGradient, false,   _,     false) where isNarrow: .narrow
        //    product          rounded  few    tiled
        case (.forward,        true,    _,     _    ) where !question.keepsPacking: .packedInPassing(.bf16)
        case (.inputGradient,  true,    _,     _    ) where !question.keepsPacking: .packedInPassing(.bf16)
        case (.forward,        true,    _,     _    ): .packedAndKept(.bf16)
        case (.inputGradient,  true,    _,     _    ): .packedAndKept(.bf16)
        case (.inference,      true,    _,     _    ): .packedAndKept(.bf16)
        case (.weightGradient, true,    _,     _    ): .packedOnce(.bf16)
        case (.forward,        false,   true,  _    ): .fewRows
        case (.inference,      false,   _,     true ): .packedAndKept(.split)
        case (.inference,      false,   _,     false): .packedAndKept(.floats)
        case (_,               _,       _,     true ): .packedInPassing(.split)
        case (_,               _,       _,     false): .packedInPassing(.floats)
        }
    }
}

extension Kernels {
    /// The plan for a product with the given kernels. Default: the precision of the scope.
    static func plan(
        _ kernels: UnsafePointer<Table>, _ kind: ProductQuestion.Kind, rows: Int, outputs: Int, inputs: Int, storage: NumberFormat,
        keepsPacking: Bool = true, precision: Compute.Precision = Compute.precision
    ) -> ProductPlan {
        ProductTable.plan(
            for: ProductQuestion(
                kind, rows: rows, outputs: outputs, inputs: inputs, storage: storage, keepsPacking: keepsPacking, precision: precision,
                hasTiles: kernels.pointee.split_product != nil))
    }
}
