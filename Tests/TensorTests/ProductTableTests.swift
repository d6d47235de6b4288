import Tensor
import Testing

/// What decides how a product is made, at the borders of every line of the table.
@Suite struct ProductTableTests {
    private static func plan(
        _ kind: ProductQuestion.Kind, _ rows: Int, _ outputs: Int, _ inputs: Int, _ precision: Compute.Precision = .f32, tiles: Bool = false
    ) -> ProductPlan {
        ProductTable.plan(for: ProductQuestion(kind, rows: rows, outputs: outputs, inputs: inputs, precision: precision, hasTiles: tiles))
    }

    @Test("fewer than 48 rows are multiplied by the weight as it lies", arguments: [false, true]) func fewRows(tiles: Bool) {
        let many: ProductPlan = .packedInPassing(tiles ? .split : .floats)
        #expect(ProductTable.manyRows == 48)
        for rows in [0, 1, 47] { #expect(Self.plan(.forward, rows, 64, 64, tiles: tiles) == .fewRows) }
        for rows in [48, 49, 4096] { #expect(Self.plan(.forward, rows, 64, 64, tiles: tiles) == many) }
        // the gradient of the rows needs the weight's columns, and two matrices have no weight
        for rows in [1, 47, 48] {
            #expect(Self.plan(.inputGradient, rows, 64, 64, tiles: tiles) == many)
            #expect(Self.plan(.matrices, rows, 64, 64, tiles: tiles) == many)
        }
        #expect(Self.plan(.weightGradient, 16, 65, 65, tiles: tiles) == many)
    }

    @Test("in bf16 a weight is rounded, packed and kept, unless it has a side below 16", arguments: [false, true]) func rounded(tiles: Bool)
    {
        for kind in [ProductQuestion.Kind.forward, .inputGradient, .inference] {
            for rows in [1, 47, 48, 1000] { #expect(Self.plan(kind, rows, 16, 16, .bf16, tiles: tiles) == .packedAndKept(.bf16)) }
        }
        #expect(Self.plan(.weightGradient, 1, 17, 17, .bf16, tiles: tiles) == .packedOnce(.bf16))
        // what is narrower is what it is in floats, and so is what has no rows
        for kind in ProductQuestion.Kind.allCases {
            for (rows, outputs, inputs) in [(100, 15, 700), (100, 700, 15), (1, 1, 700), (0, 64, 64)] {
                #expect(Self.plan(kind, rows, outputs, inputs, .bf16, tiles: tiles) == Self.plan(kind, rows, outputs, inputs, tiles: tiles))
            }
        }
        // two matrices are never rounded
        #expect(Self.plan(.matrices, 100, 64, 64, .bf16, tiles: tiles) == .packedInPassing(tiles ? .split : .floats))
    }

    @Test("tile registers multiply floats whose depth and columns fill half a tile") func tiles() {
        // x Wᵀ has the depth of the inputs, dy W that of the outputs, dyᵀ x that of the rows
        for (kind, rows, outputs, inputs) in [
            (ProductQuestion.Kind.forward, 48, 16, 16), (.matrices, 1, 16, 16), (.inputGradient, 1, 16, 16), (.weightGradient, 16, 65, 65),
        ] {
            #expect(Self.plan(kind, rows, outputs, inputs, tiles: true) == .packedInPassing(.split))
            #expect(Self.plan(kind, rows, outputs, inputs) == .packedInPassing(.floats))
        }
        for (kind, rows, outputs, inputs) in [
            (ProductQuestion.Kind.forward, 48, 15, 16), (.forward, 48, 16, 15), (.matrices, 1, 15, 16), (.matrices, 1, 16, 15),
            (.inputGradient, 1, 15, 16), (.inputGradient, 1, 16, 15), (.weightGradient, 15, 65, 65),
        ] { #expect(Self.plan(kind, rows, outputs, inputs, tiles: true) == .packedInPassing(.floats)) }
        #expect(Self.plan(.inference, 1, 16, 16, tiles: true) == .packedAndKept(.split))
        #expect(Self.plan(.inference, 1, 16, 15, tiles: true) == .packedAndKept(.floats))
        #expect(Self.plan(.inference, 1, 16, 16) == .packedAndKept(.floats))
    }

    @Test("the gradient of a weight with a side of 64 at most packs nothing; in bf16 with one of 16 at most") func narrow() {
        for (outputs, inputs) in [(1, 700), (16, 700), (700, 16), (64, 700), (700, 64), (64, 64)] {
            #expect(Self.plan(.weightGradient, 100, outputs, inputs) == .narrow)
        }
        for tiles in [false, true] {
            for (outputs, inputs) in [(16, 700), (700, 16), (16, 16)] {
                #expect(Self.plan(.weightGradient, 100, outputs, inputs, .bf16, tiles: tiles) == .narrow)
            }
            #expect(Self.plan(.weightGradient, 100, 17, 700, .bf16, tiles: tiles) == .packedOnce(.bf16))
        }
        #expect(Self.plan(.weightGradient, 100, 65, 700) == .packedInPassing(.floats))
        #expect(Self.plan(.weightGradient, 100, 16, 700, tiles: true) == .packedInPassing(.split))
        #expect(Self.plan(.weightGradient, 100, 1, 15, tiles: true) == .narrow)
    }

    /// Else a weight that is read from its file would give other bits than the same weight in memory.
    @Test func howAWeightIsStoredDecidesNothing() {
        for kind in ProductQuestion.Kind.allCases {
            for precision in Compute.Precision.allCases {
                for tiles in [false, true] {
                    for rows in [0, 1, 15, 16, 47, 48, 500] {
                        for (outputs, inputs) in [(1, 64), (15, 64), (16, 16), (64, 15), (700, 64)] {
                            var question = ProductQuestion(
                                kind, rows: rows, outputs: outputs, inputs: inputs, precision: precision, hasTiles: tiles)
                            let plan = ProductTable.plan(for: question)
                            for storage in NumberFormat.allCases {
                                question.storage = storage
                                question.keepsPacking = true
                                #expect(ProductTable.plan(for: question) == plan)
                                // how long panels are kept changes no bit, their format would
                                question.keepsPacking = false
                                let isKept = plan == .packedAndKept(.bf16) && kind != .inference
                                #expect(ProductTable.plan(for: question) == (isKept ? .packedInPassing(.bf16) : plan))
                            }
                        }
                    }
                }
            }
        }
    }

    /// The kernels of a level have tiles, or have not, and products follow: the rows of a product of few have other bits than in company.
    @Test func productsFollowTheTable() {
        let (x, weight) = (Tensor.filled(1, [48, 20]), Tensor.filled(1, [20, 20]))
        for level in Kernels.available {
            Kernels.$level.withValue(level) {
                #expect((Kernels.current.pointee.split_product != nil) == (level == .amx))
                #expect(x.linear(weight).values == Tensor.filled(20, [48, 20]).values)
                #expect(x.rows(0..<47).linear(weight).values == Tensor.filled(20, [47, 20]).values)
            }
        }
    }
}
