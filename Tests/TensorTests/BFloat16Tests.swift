import Tensor
import Testing
import _TestSupport

/// Products in bfloat16 against the same sums in Double, and against 32-bit floats.
@Suite struct BFloat16Tests {
    /// To the nearest bfloat16, ties to even.
    private static func rounded(_ x: Float) -> Double {
        Double(Naive.roundedToBFloat16(x))
    }

    private static func random(_ name: String, _ rows: Int, _ columns: Int) -> Tensor {
        OpCase.Input.normal(name, [rows, columns]).tensor
    }

    /// Odd depths, panels that are not full, rows that are no multiple of a tile's, a depth of more than one block.
    static let shapes: [(rows: Int, depth: Int, columns: Int)] = [
        (1, 16, 16), (2, 17, 33), (3, 1, 64), (6, 32, 65), (7, 33, 130), (16, 64, 48), (29, 31, 20), (5, 2_100, 18),
    ]

    @Test(arguments: shapes) func productsOfRoundedNumbers(shape: (rows: Int, depth: Int, columns: Int)) {
        let (rows, depth, columns) = shape
        let (a, b) = (Self.random("a", rows, depth), Self.random("b", depth, columns))
        let (x, y) = (a.values.map(Self.rounded), b.values.map(Self.rounded))
        var naive = [Double](repeating: 0, count: rows * columns)
        for i in 0..<rows {
            for j in 0..<columns {
                naive[i * columns + j] = (0..<depth).reduce(0) { $0 + x[i * depth + $1] * y[$1 * columns + j] }
            }
        }
        let (turnedA, turnedB) = (a.transposedCopy, b.transposedCopy)
        onEveryBuild { label, _ in
            let plain = PackedWeight(
                .bf16, depth: depth, columns: columns, .floats(.plain(b.pointer, stride: columns)))
            let turned = PackedWeight(
                .bf16,
                depth: depth, columns: columns, .floats(.transposed(turnedB.pointer, stride: depth)))
            for (packed, name) in [(plain, "plain"), (turned, "turned")] {
                let once = Tensor.uninitialized([rows, columns]) {
                    packed.multiply(rows: rows, .plain(a.pointer, stride: depth), into: $0, stride: columns)
                }
                expectClose(once.values, naive, relative: 1e-5, absolute: 2e-4, label: "\(label), \(name)")
                var twice = once
                twice.update {
                    guard let base = $0.baseAddress else { return }
                    packed.multiply(
                        rows: rows, .transposed(turnedA.pointer, stride: rows), into: base, stride: columns,
                        beta: 1)
                }
                expectClose(
                    twice.values, naive.map { 2 * $0 }, relative: 1e-5, absolute: 4e-4,
                    label: "\(label), \(name), added")
            }
        }
    }

    @Test func specialNumbersSurvive() {
        let columns = 16
        let b = Tensor((0..<2 * columns).map { $0 < columns ? 1 : 0 }, shape: [2, columns])
        onEveryBuild { label, _ in
            let packed = PackedWeight(
                .bf16, depth: 2, columns: columns, .floats(.plain(b.pointer, stride: columns)))
            func first(_ number: Float) -> Float {
                let a = Tensor([number, 0], shape: [1, 2])
                return Tensor.uninitialized([1, columns]) {
                    packed.multiply(rows: 1, .plain(a.pointer, stride: 2), into: $0, stride: columns)
                }.values[0]
            }
            #expect(first(.infinity) == .infinity && first(-.infinity) == -.infinity, "\(label)")
            #expect(first(.nan).isNaN && first(Float(bitPattern: 0x7F80_0001)).isNaN, "\(label)")
            // halfway between two neighbours: to the even one
            #expect(first(Float(bitPattern: 0x3F80_8000)) == 1, "\(label)")
            #expect(first(Float(bitPattern: 0x3F81_8000)) == Float(bitPattern: 0x3F82_0000), "\(label)")
        }
    }

    /// The last panel is narrower than the one before it, and both are padded to whole tiles.
    @Test func anInfinityStaysInItsColumn() {
        let columns = 80
        for infinite in [0, 40, 63, 64, 79] {
            let b = Tensor((0..<2 * columns).map { $0 == infinite ? .infinity : Float($0) }, shape: [2, columns])
            let a = Tensor([1, 2], shape: [1, 2])
            let expected = (0..<columns).map { $0 == infinite ? .infinity : Float(3 * $0 + 2 * columns) }
            onEveryBuild { label, _ in
                let packed = PackedWeight(
                    .bf16, depth: 2, columns: columns, .floats(.plain(b.pointer, stride: columns)))
                let result = Tensor.uninitialized([1, columns]) {
                    packed.multiply(rows: 1, .plain(a.pointer, stride: 2), into: $0, stride: columns)
                }
                #expect(result.values == expected, "\(label), column \(infinite)")
            }
        }
    }

    private static func layer(_ precision: Compute.Precision, threads: Int) -> [Tensor] {
        let x = random("x", 70, 96)
        let (weight, head) = (random("w", 130, 96).scaled(by: 0.1), random("h", 200, 130).scaled(by: 0.1))
        let targets = (0..<70).map { Int32($0 * 37 % 200) }
        return Compute.$threads.withValue(threads) {
            Compute.$precision.withValue(precision) {
                let tape = Tape()
                let inputs = [x, weight, head].map(tape.variable)
                let hidden = inputs[0].linear(inputs[1]).tanh()
                let loss = hidden.crossEntropy(
                    inputs[2], targets: targets, rowWeights: Array(repeating: 1.0 / 70, count: 70))
                let logProbs = hidden.logProbs(inputs[2], targets: targets).logProbs
                return [loss.detached, logProbs.detached]
                    + tape.backward(from: [(loss, Tensor(1)), (logProbs, .filled(-0.01, [70]))], variables: inputs)
            }
        }
    }

    @Test func layersAreCloseToFloats() {
        onEveryBuild { label, _ in
            let (exact, rounded) = (Self.layer(.f32, threads: 1), Self.layer(.bf16, threads: 1))
            for (index, (a, b)) in zip(rounded, exact).enumerated() {
                let scale = b.values.reduce(0) { max($0, abs(Double($1))) }
                expectClose(a, b, relative: 0, absolute: 1e-2 * scale, label: "\(label), result \(index)")
                #expect(a.values != b.values, "\(label), result \(index): bf16 was not used")
            }
        }
    }

    @Test func threadsDoNotChangeBits() {
        let (one, two) = (Self.layer(.bf16, threads: 1), Self.layer(.bf16, threads: 2))
        for (a, b) in zip(one, two) { #expect(a.values == b.values) }
    }

    @Test func aPackedWeightFollowsItsChanges() {
        let x = Self.random("x", 20, 32)
        var weight = Self.random("w", 40, 32)
        func product() -> [Float] { Compute.$precision.withValue(.bf16) { x.linear(weight).values } }
        let before = product()
        #expect(product() == before)
        weight.update { for index in $0.indices { $0[index] *= 2 } }
        #expect(product() == before.map { 2 * $0 })
    }
}

extension Tensor {
    fileprivate var transposedCopy: Tensor {
        let (rows, columns) = (shape[0], shape[1])
        let values = self.values
        return Tensor((0..<count).map { values[$0 % rows * columns + $0 / rows] }, shape: [columns, rows])
    }
}
