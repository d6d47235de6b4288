import Tensor
import Testing
import _TestSupport

/// Weights that are kept in bfloat16 against the same weights in 32-bit floats: every result has the same bits.
@Suite struct NarrowWeightTests {
    /// A matrix of numbers that bfloat16 can hold, kept in bfloat16 and as floats.
    private static func weight(_ name: String, _ rows: Int, _ columns: Int) -> (narrow: Tensor, wide: Tensor) {
        let bits = OpCase.Input.normal(name, [rows, columns]).tensor.values.map { UInt16($0.bitPattern >> 16) }
        let narrow = NarrowElements(count: bits.count) { out in
            for (index, number) in bits.enumerated() { out[index] = number.littleEndian }
        }
        return (
            Tensor(shape: [rows, columns], narrow: narrow),
            Tensor(bits.map { Float(bitPattern: UInt32($0) << 16) }, shape: [rows, columns])
        )
    }

    private static func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

    /// Few rows and many, weights of one block and of several, borders that are multiples of nothing.
    static let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
        (1, 33, 17), (1, 256, 1100), (7, 300, 130), (47, 64, 20), (48, 64, 20), (48, 256, 1000), (130, 320, 1030),
        (300, 96, 1), (64, 1030, 2050),
    ]

    @Test(arguments: shapes, [Compute.Precision.f32, .bf16])
    func products(shape: (rows: Int, inputs: Int, outputs: Int), precision: Compute.Precision) {
        let (narrow, wide) = Self.weight("w", shape.outputs, shape.inputs)
        let x = OpCase.Input.normal("x", [shape.rows, shape.inputs]).tensor
        for threads in [1, 2] {
            Compute.$threads.withValue(threads) {
                Compute.$precision.withValue(precision) {
                    #expect(Self.bits(x.linear(narrow)) == Self.bits(x.linear(wide)), "\(threads) threads")
                }
            }
        }
        #expect(narrow.isNarrow, "a product widened the whole weight")
    }

    @Test func lookupsAndComparisons() {
        let (narrow, wide) = Self.weight("table", 40, 12)
        let ids: [Int32] = [0, 39, 7, 7]
        #expect(Self.bits(narrow.embedding(of: ids)) == Self.bits(wide.embedding(of: ids)))
        #expect(narrow.values == wide.values)
        #expect(narrow.isIdentical(to: wide) && wide.isIdentical(to: narrow))
        #expect(narrow.isIdentical(to: Self.weight("table", 40, 12).narrow))
        #expect(!narrow.isIdentical(to: Self.weight("other", 40, 12).narrow))
        #expect(!narrow.isIdentical(to: Self.weight("other", 40, 12).wide))
        #expect(narrow.isNarrow)
    }

    @Test(arguments: Compute.Precision.allCases) func gradients(precision: Compute.Precision) {
        let (first, firstWide) = Self.weight("a", 130, 40)
        let (head, headWide) = Self.weight("h", 200, 130)
        let x = OpCase.Input.normal("x", [70, 40]).tensor
        func run(_ weight: Tensor, _ head: Tensor) -> [Tensor] {
            Compute.$precision.withValue(precision) {
                let tape = Tape()
                let inputs = [x, weight].map(tape.variable)
                let hidden = inputs[0].linear(inputs[1]).tanh()
                let loss = hidden.crossEntropy(
                    head, targets: (0..<70).map { Int32($0 % 200) }, rowWeights: Array(repeating: 0.1, count: 70))
                return [loss.detached] + tape.backward(from: [(loss, Tensor(1))], variables: inputs)
            }
        }
        for (a, b) in zip(run(first, head), run(firstWide, headWide)) { #expect(Self.bits(a) == Self.bits(b)) }
    }

    @Test func changesStayWithTheOneWhoMakesThem() {
        let (narrow, wide) = Self.weight("w", 24, 16)
        var mine = narrow
        mine.update { $0[0] += 1 }
        #expect(
            mine.values[0] == wide.values[0] + 1 && Array(mine.values.dropFirst()) == Array(wide.values.dropFirst()))
        #expect(narrow.isNarrow && narrow.values == wide.values)
        // floats for all who share the weight, once somebody needs its address; a change is still one's own
        var other = narrow
        #expect(narrow.pointer[5] == wide.values[5] && !narrow.isNarrow && !other.isNarrow)
        other.update { $0[5] = 7 }
        #expect(narrow.values == wide.values && other.values[5] == 7)
    }
}

extension Tensor {
    fileprivate var isNarrow: Bool { storage.narrow != nil }
}
