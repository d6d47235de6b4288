import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Weights of which products in bf16 precision keep no packed copies (`Storage.packsInPassing`) against the same weights with kept copies:
/// the same bits, and no copy remains.
@Suite struct PackedInPassingTests {
    /// The formats that keep packed copies by default.
    static let formats = [NumberFormat.f32, .bf16, .f16]

    /// Few rows and many; sides of at least 16, several panels, and depths of more than one block.
    static let sizes: [(outputs: Int, inputs: Int)] = [(16, 16), (70, 33), (300, 192), (130, 1100), (1100, 130)]

    private static func random(_ name: String, _ shape: Shape) -> Tensor { OpCase.Input.normal(name, shape).tensor }

    /// A weight in f32, bf16 (truncated) or f16, in newly allocated memory.
    static func weight(_ format: NumberFormat, _ numbers: Tensor, inPassing: Bool) -> Tensor {
        func halves(_ bits: (Float) -> UInt16) -> Tensor {
            Tensor(
                shape: numbers.shape,
                narrow: NarrowElements(format, count: numbers.count) { out in
                    for (index, number) in numbers.values.enumerated() { out[index] = bits(number).littleEndian }
                })
        }
        let weight: Tensor
        switch format {
        case .f32: weight = Tensor(numbers.values, shape: numbers.shape)
        case .bf16: weight = halves { UInt16($0.bitPattern >> 16) }
        case .f16: weight = halves(FloatConversion.narrowToFloat16)
        case .q8: preconditionFailure("products never keep packed copies of blocks")
        }
        weight.storage.packsInPassing = inPassing
        return weight
    }

    private static func weight(_ format: NumberFormat, _ shape: Shape, inPassing: Bool) -> Tensor {
        weight(format, random("w", shape), inPassing: inPassing)
    }

    /// x Wᵀ and dx.
    private static func products(_ x: Tensor, _ weight: Tensor) -> [Tensor] {
        let tape = Tape()
        let variable = tape.variable(x)
        let output = variable.linear(weight)
        return [output.detached] + tape.backward(from: [(output, random("dy", output.shape))], variables: [variable])
    }

    @Test(arguments: [1, 4, 16, 48, 100], formats) func products(rows: Int, format: NumberFormat) {
        for (outputs, inputs) in Self.sizes {
            let x = Self.random("x", [rows, inputs])
            for precision in Compute.Precision.allCases {
                let kept = Self.weight(format, [outputs, inputs], inPassing: false)
                let passing = Self.weight(format, [outputs, inputs], inPassing: true)
                onEveryBuild { label, _ in
                    Compute.$precision.withValue(precision) {
                        let (results, expected) = (Self.products(x, passing), Self.products(x, kept))
                        expectIdentical(results, expected, "\(label), \(precision), \(outputs) x \(inputs)")
                    }
                }
                #expect(passing.storage.packedByteCount == 0, "\(precision), \(outputs) x \(inputs): a copy was kept")
                #expect((kept.storage.packedByteCount > 0) == (precision == .bf16))
            }
        }
    }

    /// A projection whose logits exist for some rows at a time.
    @Test func projections() {
        let (x, targets) = (Self.random("x", [100, 64]), (0..<100).map { Int32($0) })
        func results(_ weight: Tensor) -> [Tensor] {
            let tape = Tape()
            let variable = tape.variable(x)
            let loss = variable.crossEntropy(weight, targets: targets, rowWeights: Array(repeating: 0.1, count: 100))
            return [loss.detached] + tape.backward(from: [(loss, Tensor(1))], variables: [variable])
        }
        let (kept, passing) = (
            Self.weight(.f32, [1000, 64], inPassing: false), Self.weight(.f32, [1000, 64], inPassing: true)
        )
        onEveryBuild { label, _ in
            Compute.$precision.withValue(.bf16) { expectIdentical(results(passing), results(kept), label) }
        }
        #expect(passing.storage.packedByteCount == 0 && kept.storage.packedByteCount > 0)
    }

    @Test func copiesThatExistAreFreed() {
        Compute.$precision.withValue(.bf16) {
            let (x, weight) = (Self.random("x", [5, 64]), Self.weight(.f32, [64, 64], inPassing: false))
            #expect(weight.storage.keepsPacking)
            let before = Self.products(x, weight)
            let made = weight.storage.packedByteCount
            #expect(made > 0)
            weight.storage.packsInPassing = true
            #expect(!weight.storage.keepsPacking && weight.storage.packedByteCount == 0)
            expectIdentical(Self.products(x, weight), before, "without copies")
            #expect(weight.storage.packedByteCount == 0)
            weight.storage.packsInPassing = false
            expectIdentical(Self.products(x, weight), before, "with copies again")
            #expect(weight.storage.packedByteCount == made)
        }
    }

    /// A step of an optimiser changes a weight in place, or copies it if another model shares it.
    @Test func changedWeightsStayAsTheyAre() {
        Compute.$precision.withValue(.bf16) {
            let x = Self.random("x", [5, 64])
            for format in Self.formats {
                let first = Self.weight(format, [64, 64], inPassing: true)
                var weight = first
                for _ in 0..<2 {
                    weight.update { for index in $0.indices { $0[index] *= 2 } }
                    #expect(weight.storage.packsInPassing && !weight.sharesMemory(with: first), "\(format)")
                    let equal = Tensor(weight.values, shape: weight.shape)
                    expectIdentical(Self.products(x, weight), Self.products(x, equal), "\(format)")
                    #expect(weight.storage.packedByteCount == 0, "\(format)")
                }
                // and a weight that keeps copies still does
                var other = Self.weight(format, [64, 64], inPassing: false)
                other.update { $0[0] = 1 }
                _ = Self.products(x, other)
                #expect(other.storage.packedByteCount > 0, "\(format)")
            }
        }
    }

    /// In a process of its own, because others allocate, too.
    @Test func productsTakeLittleMemory() async {
        await #expect(processExitsWith: .success) {
            let weight = Tensor.filled(1, [4096, 1024])
            weight.storage.packsInPassing = true
            NarrowWeightTests.checkMemory(ofProductsWith: weight, .bf16)
        }
    }
}
