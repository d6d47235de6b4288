import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Weights that are kept in a narrow format against the same weights in 32-bit floats: every result has the same bits.
@Suite struct NarrowWeightTests {
    /// Memory that somebody else owns, as a mapped file is: elements in a narrow format, at an odd address if the format needs no other,
    /// and the same numbers as floats.
    private final class File {
        private let narrow: UnsafeMutableBufferPointer<UInt8>
        private let floats: UnsafeMutableBufferPointer<Float>
        private let format: NumberFormat
        private let offset: Int

        init(_ format: NumberFormat, _ bytes: [UInt8], _ numbers: [Float]) {
            (self.format, offset) = (format, format == .q8 ? 1 : 0)
            narrow = .allocate(capacity: bytes.count + 1)
            narrow.initialize(repeating: 0)
            for (index, byte) in bytes.enumerated() { narrow[offset + index] = byte }
            floats = .allocate(capacity: numbers.count)
            _ = floats.initialize(fromContentsOf: numbers)
        }

        deinit {
            narrow.deallocate()
            floats.deallocate()
        }

        func tensors(_ shape: Shape) -> (narrow: Tensor, wide: Tensor)? {
            guard let bytes = narrow.baseAddress, let numbers = floats.baseAddress else { return nil }
            return (
                Tensor(shape: shape, narrow: NarrowElements(format, bytes + offset, count: shape.count, owner: self)),
                Tensor(shape: shape, storage: Storage(viewing: numbers, byteCount: 4 * shape.count, owner: self))
            )
        }
    }

    /// The narrow formats.
    static let formats = NumberFormat.allCases.filter { $0 != .f32 }

    /// A matrix of numbers that a format can hold, kept in the format and as floats; in memory of its own, or in a file.
    private static func weight(
        _ name: String, _ rows: Int, _ columns: Int, _ format: NumberFormat, inFile: Bool = false
    ) -> (narrow: Tensor, wide: Tensor) {
        let shape: Shape = [rows, columns]
        let numbers = OpCase.Input.normal(name, shape).values
        let (bytes, rounded): ([UInt8], [Float])
        switch format {
        case .f32: preconditionFailure("32-bit floats are not narrow")
        case .bf16:
            let bits = numbers.map { UInt16($0.bitPattern >> 16) }
            bytes = bits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            rounded = bits.map { Float(bitPattern: UInt32($0) << 16) }
        case .f16:
            let bits = numbers.map(FloatConversion.narrowToFloat16)
            bytes = bits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            rounded = bits.map(FloatConversion.widenFloat16)
        case .q8:
            bytes = Naive.q8Blocks(numbers).bytes
            rounded = Naive.q8Widened(bytes, count: numbers.count)
        }
        if inFile, let tensors = File(format, bytes, rounded).tensors(shape) { return tensors }
        let block = Storage(byteCount: bytes.count)
        for (index, byte) in bytes.enumerated() { block.pointer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self) }
        return (
            Tensor(shape: shape, narrow: NarrowElements(format, block.pointer, count: shape.count, owner: block)),
            Tensor(rounded, shape: shape)
        )
    }

    private static func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

    /// Few rows and many, weights of one block and of several, borders that are multiples of nothing.
    static let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
        (1, 33, 17), (1, 256, 1100), (7, 300, 130), (47, 64, 20), (48, 64, 20), (48, 256, 1000), (130, 320, 1030),
        (300, 96, 1), (64, 1030, 2050), (5, 1056, 130), (16, 2048, 100),
    ]

    @Test(arguments: shapes, formats)
    func products(shape: (rows: Int, inputs: Int, outputs: Int), format: NumberFormat) {
        let x = OpCase.Input.normal("x", [shape.rows, shape.inputs]).tensor
        for inFile in [false, true] {
            let (narrow, wide) = Self.weight("w", shape.outputs, shape.inputs, format, inFile: inFile)
            onEveryBuild { label, _ in
                for precision in Compute.Precision.allCases {
                    Compute.$precision.withValue(precision) {
                        #expect(Self.bits(x.linear(narrow)) == Self.bits(x.linear(wide)), "\(label), \(precision), in a file: \(inFile)")
                    }
                }
            }
            #expect(narrow.isNarrow, "a product widened the whole weight")
        }
    }

    @Test(arguments: formats) func lookupsAndComparisons(format: NumberFormat) {
        let (narrow, wide) = Self.weight("table", 40, 12, format)
        let ids: [Int32] = [0, 39, 7, 7]
        #expect(Self.bits(narrow.embedding(of: ids)) == Self.bits(wide.embedding(of: ids)))
        #expect(narrow.values == wide.values)
        #expect(narrow.isIdentical(to: wide) && wide.isIdentical(to: narrow))
        #expect(narrow.isIdentical(to: Self.weight("table", 40, 12, format).narrow))
        #expect(!narrow.isIdentical(to: Self.weight("other", 40, 12, format).narrow))
        #expect(!narrow.isIdentical(to: Self.weight("other", 40, 12, format).wide))
        for other in Self.formats where other != format { #expect(!narrow.isIdentical(to: Self.weight("table", 40, 12, other).narrow)) }
        #expect(narrow.isNarrow)
    }

    /// Floats are passed at once and without a copy, other elements part by part.
    @Test(arguments: formats) func parts(format: NumberFormat) {
        let (narrow, wide) = Self.weight("w", 900, 331, format)
        var (numbers, counts): ([UInt32], [Int]) = ([], [])
        narrow.forEachPart {
            numbers += $0.map(\.bitPattern)
            counts.append($0.count)
        }
        #expect(numbers == Self.bits(wide) && counts == [1 << 18, 900 * 331 - (1 << 18)])
        counts = []
        wide.forEachPart {
            #expect($0.baseAddress == wide.pointer)
            counts.append($0.count)
        }
        #expect(counts == [wide.count] && narrow.isNarrow)
    }

    /// Blocks with other bytes may have the same numbers.
    @Test func equalNumbersInOtherBlocks() throws {
        func tensor(scale: UInt8, last: UInt8) throws -> Tensor {
            let bytes = [0, scale] + [UInt8](repeating: 0, count: 31) + [last]
            return try #require(File(.q8, bytes, [0]).tensors([2, 16])).narrow
        }
        let zeros = try tensor(scale: 0, last: 0)
        #expect(try zeros.isIdentical(to: tensor(scale: 0x3C, last: 0)) && zeros.isIdentical(to: .zeros([2, 16])))
        #expect(try !zeros.isIdentical(to: tensor(scale: 0x3C, last: 1)))
        #expect(try !zeros.isIdentical(to: tensor(scale: 0x80, last: 0)), "−0 has other bits than 0")
    }

    /// A layer whose weight is trained, one that a gradient only passes through, and a frozen projection.
    @Test(arguments: [(20, 70), (70, 130), (90, 400)], formats)
    func gradients(shape: (rows: Int, width: Int), format: NumberFormat) {
        for precision in Compute.Precision.allCases {
            for inFile in [false, true] { gradients(precision, rows: shape.rows, width: shape.width, format, inFile: inFile) }
        }
    }

    private func gradients(_ precision: Compute.Precision, rows: Int, width: Int, _ format: NumberFormat, inFile: Bool) {
        let weights = [
            Self.weight("a", width, 40, format, inFile: inFile), Self.weight("b", 2 * width, width, format, inFile: inFile),
            Self.weight("c", 1000, 2 * width, format, inFile: inFile),
        ]
        let x = OpCase.Input.normal("x", [rows, 40]).tensor
        func run(_ weights: [Tensor]) -> [Tensor] {
            Compute.$precision.withValue(precision) {
                let tape = Tape()
                let inputs = [x, weights[0]].map(tape.variable)
                let hidden = inputs[0].linear(inputs[1]).tanh().linear(weights[1]).scaled(by: 0.01)
                let loss = hidden.crossEntropy(
                    weights[2], targets: (0..<rows).map { Int32($0 % 200) }, rowWeights: Array(repeating: 0.1, count: rows))
                return [loss.detached] + tape.backward(from: [(loss, Tensor(1))], variables: inputs)
            }
        }
        onEveryBuild { label, threads in
            guard threads % 2 == 1 else { return }
            for (a, b) in zip(run(weights.map(\.narrow)), run(weights.map(\.wide))) { #expect(Self.bits(a) == Self.bits(b), "\(label)") }
        }
        #expect(weights.allSatisfy { $0.narrow.isNarrow }, "a gradient widened the whole weight")
    }

    @Test(arguments: formats) func changesStayWithTheOneWhoMakesThem(format: NumberFormat) {
        let (narrow, wide) = Self.weight("w", 24, 16, format)
        var mine = narrow
        mine.update { $0[0] += 1 }
        #expect(
            mine.values[0] == wide.values[0] + 1 && Array(mine.values.dropFirst()) == Array(wide.values.dropFirst()))
        #expect(narrow.isNarrow && narrow.values == wide.values)
        // a copy in floats is one's own, and the weight stays as it is
        var copy = narrow.widened()
        #expect(copy.pointer[5] == wide.values[5] && !copy.isNarrow && narrow.isNarrow)
        copy.update { $0[5] = 7 }
        #expect(copy.values[5] == 7 && narrow.isIdentical(to: wide))
        #expect(wide.widened().sharesMemory(with: wide), "floats were copied to widen them")
    }

    /// What can be done with a tensor of a weight's shape.
    private static let operations: [(name: String, run: @Sendable (Tensor) -> Tensor)] = [
        ("+", { $0 + $0 }), ("-", { $0 - $0.squared() }), ("*", { $0 * $0 }), ("minimum", { .minimum($0, $0.scaled(by: 2)) }),
        ("scaled", { $0.scaled(by: 3) }), ("squared", { $0.squared() }), ("tanh", { $0.tanh() }), ("relu", { $0.relu() }),
        ("gelu", { $0.gelu() }), ("silu", { $0.silu() }), ("clamped", { $0.clamped(to: -0.5...0.5) }), ("sum", { $0.sum() }),
        ("mean", { $0.mean() }), ("rows", { $0.rows([3, 0, 3]) }), ("columns", { $0.columns(2..<7) }), ("swiglu", { $0.swiglu(up: $0) }),
        ("softmax", { $0.softmax() }), ("matmul", { $0.matmul($0, otherTransposed: true) }),
        ("matmul, turned", { $0.matmul($0, transposed: true) }), ("linear", { $0.linear($0, bias: nil) }),
        ("embedding", { $0.embedding(of: [5, 0, 5]) }), ("rmsNormalised", { $0.rmsNormalised(weight: .filled(1, [12]), epsilon: 1e-5) }),
        ("layerNormalised", { $0.layerNormalised(weight: .filled(1, [12]), bias: .zeros([12]), epsilon: 1e-5) }),
        ("attending", { $0.attending(keys: $0, values: $0, layout: AttentionLayout(lengths: [40]), heads: 3, keyHeads: 3) }),
        ("logProbs", { $0.logProbs($0, targets: (0..<40).map { Int32($0) }).logProbs }),
        ("crossEntropy", { $0.crossEntropy($0, targets: Array(repeating: 1, count: 40), rowWeights: Array(repeating: 1, count: 40)) }),
        ("reshaped", { $0.reshaped([20, 24]).scaled(by: 0.5) }), ("stacked", { .stacked([$0.detached, $0.detached]) }),
        ("logits", { $0.logits($0, validTokens: 30) }),
        ("attendingWithin", { $0.attendingWithin(layout: AttentionLayout(lengths: [40]), heads: 2) }), ("widened", { $0.widened() }),
    ]

    /// Every operation takes such a weight as any other tensor, gives the same bits and gradients, and leaves it as it is.
    @Test(arguments: formats) func operations(format: NumberFormat) {
        for (name, run) in Self.operations {
            let (narrow, wide) = Self.weight("w", 40, 12, format)
            #expect(Self.bits(run(narrow)) == Self.bits(run(wide)), "\(name)")
            func gradient(_ weight: Tensor) -> Tensor {
                let tape = Tape()
                let variable = tape.variable(weight)
                let result = run(variable)
                return tape.backward(from: [(result, .filled(0.5, result.shape))], variables: [variable])[0]
            }
            #expect(Self.bits(gradient(narrow)) == Self.bits(gradient(wide)), "gradient of \(name)")
            #expect(narrow.isNarrow, "\(name) widened the weight")
        }
    }

    @Test(arguments: formats) func countsAndSums(format: NumberFormat) {
        let (narrow, wide) = Self.weight("w", 400, 331, format)
        #expect(narrow.sumOfSquares() == wide.sumOfSquares())
        #expect(narrow.nonFiniteCount == 0)
        let bits: [UInt16] = [0x7F80, 0x3F80, 0xFFC0, 0]
        let bad = Tensor(
            shape: [2, 2], narrow: NarrowElements(count: 4) { for index in bits.indices { $0[index] = bits[index].littleEndian } })
        #expect(bad.nonFiniteCount == 2 && bad.isNarrow)
        #expect(Self.weight("w", 1, 1, format).narrow.item == Self.weight("w", 1, 1, format).wide.item)
        var sum = wide
        sum.add(inPlace: narrow)
        #expect(Self.bits(sum) == Self.bits(wide + wide) && narrow.isNarrow)
        for rows in [1, 60] {
            let x = OpCase.Input.normal("x", [rows, 331]).tensor
            #expect(
                Self.bits(FusedLinear([(narrow, nil)], precision: .f32)(x)) == Self.bits(FusedLinear([(wide, nil)], precision: .f32)(x)))
        }
        #expect(narrow.isNarrow)
    }

    /// In a process of its own, because others allocate, too: products take blocks of floats and no copy of the weight. In bf16 precision
    /// they keep packed copies, except of what is in blocks of 8 bits.
    @Test func productsTakeLittleMemory() async {
        await #expect(processExitsWith: .success) {
            let (outputs, inputs) = (4096, 1024)
            let floats = Storage(byteCount: 4 * outputs * inputs)
            floats.withFloats { $0.update(repeating: 1, count: outputs * inputs) }
            for (format, precision) in [(NumberFormat.bf16, Compute.Precision.f32), (.q8, .f32), (.q8, .bf16)] {
                let weight = try Tensor(shape: [outputs, inputs], narrow: .rounding(floats, count: outputs * inputs, to: format))
                Self.checkMemory(ofProductsWith: weight, precision)
            }
        }
    }

    /// Stops if products with a weight take as much memory as a copy of it in bfloat16, or leave memory behind. Only for a process in
    /// which nobody else allocates.
    static func checkMemory(ofProductsWith weight: Tensor, _ precision: Compute.Precision) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        for rows in [1, 64] {
            let x = Tensor.filled(1, [rows, inputs])
            let before = Allocator.shared.bytesInUse
            let results = 4 * rows * (2 * inputs + 2 * outputs)
            let peak = Compute.$threads.withValue(2) {
                Compute.$precision.withValue(precision) {
                    Allocator.shared.peakBytes {
                        let tape = Tape()
                        let variable = tape.variable(x)
                        tape.backward(from: [(variable.linear(weight), .filled(1, [rows, outputs]))], variables: [variable])
                    }
                }
            }
            let name = "\(weight.storage.format), \(precision): \(rows) rows"
            // the size of a packed copy in bf16, half of that as floats
            precondition(peak < results + 2 * outputs * inputs, "\(name) took \(peak) bytes")
            let kept = Allocator.shared.bytesInUse - before
            precondition(kept == 0, "\(name) left \(kept) bytes")
        }
    }

    /// In a process of its own: a comparison with floats widens a part of the weight at a time.
    @Test func comparisonsTakeLittleMemory() async {
        await #expect(processExitsWith: .success) {
            let count = 1 << 21
            let narrow = Tensor(
                shape: [count / 1024, 1024],
                narrow: NarrowElements(count: count) { $0.update(repeating: UInt16(0x3F80).littleEndian, count: count) })
            var wide = Tensor.filled(1, narrow.shape)
            let peak = Allocator.shared.peakBytes {
                precondition(narrow.isIdentical(to: wide) && wide.isIdentical(to: narrow))
            }
            precondition(peak <= count, "the comparison took \(peak) bytes")
            // elements of every part are compared, the last ones too
            for index in [0, (1 << 18) - 1, 1 << 18, count - 1] {
                wide.update { $0[index] = Float(1).nextUp }
                precondition(!narrow.isIdentical(to: wide) && !wide.isIdentical(to: narrow), "\(index)")
                wide.update { $0[index] = 1 }
            }
        }
    }

    @Test func floatsAreAskedForByName() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let narrow = Tensor(shape: [1, 2], narrow: NarrowElements(count: 2) { $0.update(repeating: 0, count: 2) })
            _ = narrow.pointer
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("bfloat16") && text.contains("widened()"), "\(text)")
    }

    @Test("rounding to bfloat16: ties to even, infinities and NaN stay")
    func rounding() {
        let numbers: [Float] = [
            1, -2.5, 1 + 1.0 / 256, 1 + 3.0 / 256, 1 + 1.0 / 256 + 1e-6, .infinity, -.infinity, .nan, 0, -0.0, 3.4e38,
        ]
        let expected: [Float] = [1, -2.5, 1, 1 + 2.0 / 128, 1 + 1.0 / 128, .infinity, -.infinity, .nan, 0, -0.0, .infinity]
        let narrow = NarrowElements(count: numbers.count) { _ in }
        numbers.withUnsafeBufferPointer { if let base = $0.baseAddress { narrow.round(base, into: 0..<numbers.count) } }
        let wide = Tensor.uninitialized([numbers.count]) { narrow.widen(0..<numbers.count, into: $0) }.values
        for (number, (got, want)) in zip(numbers, zip(wide, expected)) {
            #expect(got == want || (got.isNaN && want.isNaN), "\(number): \(got), not \(want)")
        }
    }
}

extension Tensor {
    fileprivate var isNarrow: Bool { storage.narrow != nil }
}
