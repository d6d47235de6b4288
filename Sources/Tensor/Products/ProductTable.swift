// The one place that decides which kernel makes a product, and how its weight gets there.

/// A product that someone asks for, with all that the decision depends on.
///
/// T rows go in, and a weight W is [outputs, inputs].
package struct ProductQuestion: Sendable {
    /// Which product.
    package enum Kind: CaseIterable, Sendable {
        /// x Wᵀ of a linear layer: [T, inputs] → [T, outputs].
        case forward
        /// dy W, the gradient of its rows: [T, outputs] → [T, inputs].
        case inputGradient
        /// dyᵀ x, the gradient of its weight: [outputs, inputs].
        case weightGradient
        /// x Wᵀ of a layer that is never trained and is packed when it is made, for any number of rows.
        case inference
        /// A · B of two matrices of which none is a weight: [T, inputs] · [inputs, outputs].
        case matrices
    }

    package var kind: Kind
    package var rows: Int
    package var outputs: Int
    package var inputs: Int
    /// How the numbers of the weight are stored.
    package var storage: NumberFormat = .f32
    package var precision: Compute.Precision = .f32
    /// Whether the kernels multiply floats in tile registers.
    package var hasTiles = false

    package init(
        _ kind: Kind, rows: Int, outputs: Int, inputs: Int, storage: NumberFormat = .f32, precision: Compute.Precision = .f32,
        hasTiles: Bool = false
    ) {
        (self.kind, self.rows, self.outputs, self.inputs) = (kind, rows, outputs, inputs)
        (self.storage, self.precision, self.hasTiles) = (storage, precision, hasTiles)
    }

    /// The right-hand matrix of the product is [depth, columns].
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

/// How a product is made: the answer of ``ProductTable``.
package enum ProductPlan: Equatable, Sendable {
    /// The weight is read once, row by row, and nothing is packed (``FewRowsProduct``).
    case fewRows
    /// One of the weight's sides is so short that packing would cost more than the product: the other matrix is read as it lies (``NarrowGradient``).
    case narrow
    /// The right-hand matrix is packed part by part, while it is multiplied (``MatrixProduct``).
    case packedInPassing(PanelFormat)
    /// The right-hand matrix is packed whole, for this product alone (``PackedWeight``).
    case packedOnce(PanelFormat)
    /// The weight is packed whole and the copy is kept, with the weight until it changes or with the layer (``PackedWeight``).
    case packedAndKept(PanelFormat)
}

/// Rows × shape × how the weight is stored × precision × processor → kernel.
///
/// The first line that fits decides. What it decides shows in the last bits of a result, so the lines may depend on nothing else than
/// the question: not on the number of threads, and not on how a weight is stored. A weight in fewer bits has the plan of the floats that
/// it stands for and is widened a block at a time where the plan reads it (``RightHandMatrix``); so will one in 8 bits be. Only what is
/// rounded, or multiplied in another format, gets a line of its own.
package enum ProductTable {
    /// From so many rows on, packing the weight costs less than reading it row by row.
    package static let manyRows = 48
    /// Narrower weights are not rounded: a value head costs nothing, and its output is a score.
    package static let leastRounded = 16
    /// The longest side of a weight, such as the rank of an adapter, for whose gradient nothing is packed. The sums of floats are the same.
    package static let narrow = 64
    /// The same where the gradient would be rounded first, which it is not then.
    package static let narrowRounded = 16
    /// In tiles of 16 by 32 a smaller matrix would be mostly zeros.
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

/// How the numbers of a tensor are stored. All of them stand for 32-bit floats.
///
/// A further format, such as 8 bits for frozen weights, is a case here and in ``RightHandMatrix``, and what ``Storage`` widens; it needs no
/// kernel and no line in the table.
package enum NumberFormat: CaseIterable, Sendable {
    case f32
    case bf16

    /// Bytes of a number.
    package var byteCount: Int {
        switch self {
        case .f32: 4
        case .bf16: 2
        }
    }
}

extension Kernels {
    /// The plan for a product by these kernels in the precision of the scope.
    static func plan(
        _ kernels: UnsafePointer<Table>, _ kind: ProductQuestion.Kind, rows: Int, outputs: Int, inputs: Int, storage: NumberFormat,
        precision: Compute.Precision = Compute.precision
    ) -> ProductPlan {
        ProductTable.plan(
            for: ProductQuestion(
                kind, rows: rows, outputs: outputs, inputs: inputs, storage: storage, precision: precision,
                hasTiles: kernels.pointee.split_product != nil))
    }
}
