import Tensor
import Testing

/// Gradients of weights with a short side, and products that are added to what is there.
@Suite struct NarrowGradientTests {
    private static func random(_ name: String, _ shape: Shape) -> Tensor {
        var generator = Philox(seed: 11).split(name)
        return .normal(shape, standardDeviation: 0.5, using: &generator)
    }

    /// The gradient of a weight after `passes` passes of the same rows.
    private static func gradient(_ x: Tensor, _ dy: Tensor, passes: Int = 1) -> Tensor? {
        let weight = Parameter("w", .zeros([dy.shape[1], x.shape[1]]))
        for _ in 0..<passes {
            let tape = Tape()
            tape.backward(from: [(x.linear(weight.on(tape)), dy)])
        }
        return weight.gradient
    }

    @Test("dyᵀ x has the bits of packed panels, however many threads there are", arguments: [1, 2, 3]) func bits(threads: Int) {
        Compute.$threads.withValue(threads) {
            for level in Kernels.available where level != .amx {
                Kernels.$level.withValue(level) {
                    for (outputs, inputs) in [(16, 130), (130, 16), (1, 200), (200, 3), (70, 64), (64, 70), (1, 1), (17, 16)] {
                        for rows in [1, 63, 64, 130, 1100] {
                            let (x, dy) = (Self.random("x", [rows, inputs]), Self.random("dy", [rows, outputs]))
                            let packed = dy.matmul(x, transposed: true)
                            #expect(Self.gradient(x, dy)?.isIdentical(to: packed) == true, "\(outputs) x \(inputs), \(rows) rows, \(level)")
                        }
                    }
                }
            }
        }
    }

    @Test("a second pass is added to the gradient") func accumulated() throws {
        for (outputs, inputs) in [(16, 130), (130, 16)] {
            let (x, dy) = (Self.random("x", [100, inputs]), Self.random("dy", [100, outputs]))
            let twice = try #require(Self.gradient(x, dy, passes: 2)).values
            let once = try #require(Self.gradient(x, dy)).values
            for (a, b) in zip(twice, once) { #expect(abs(a - 2 * b) < 1e-4) }
        }
    }

    @Test("in bf16 the gradient of a weight of rank 16 is not rounded") func rounded() {
        let (x, dy) = (Self.random("x", [100, 130]), Self.random("dy", [100, 16]))
        Compute.$precision.withValue(.bf16) {
            // rounding to bf16 would be seen in the third digit
            let expected = dy.matmul(x, transposed: true).values
            let found = Self.gradient(x, dy)?.values ?? []
            #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }

    @Test("x Wᵀ added to a sum is what both are apart, with the same gradients", arguments: [5, 60]) func added(rows: Int) throws {
        let (x, other) = (Self.random("x", [rows, 40]), Self.random("o", [rows, 20]))
        let (weight, before) = (Parameter("w", Self.random("w", [70, 40])), Parameter("v", Self.random("v", [70, 20])))
        let dy = Self.random("dy", [rows, 70])
        func run(_ body: (Tensor, Tensor, Tensor) -> Tensor) -> (y: Tensor, gradients: [Tensor]) {
            let tape = Tape()
            let (a, b) = (tape.variable(x), tape.variable(other))
            let y = body(a, weight.on(tape), b.linear(before.on(tape)))
            let found = tape.backward(from: [(y, dy)], variables: [a, b])
            defer { for parameter in [weight, before] { parameter.clearGradient() } }
            return (y.detached, found + [weight, before].compactMap(\.gradient))
        }
        let apart = run { x, weight, sum in sum + x.linear(weight) }
        let together = run { x, weight, sum in x.linear(weight, addedTo: sum) }
        for (a, b) in zip(apart.y.values, together.y.values) { #expect(abs(a - b) < 1e-5) }
        #expect(apart.gradients.count == 4 && together.gradients.count == 4)
        for (a, b) in zip(apart.gradients, together.gradients) { #expect(a.isIdentical(to: b)) }
    }

    @Test("a sum that somebody else holds stays as it is") func held() {
        let (x, weight, sum) = (Self.random("x", [60, 40]), Self.random("w", [70, 40]), Self.random("s", [60, 70]))
        let copy = sum.values
        let result = x.linear(weight, addedTo: sum)
        #expect(sum.values == copy)
        #expect(!result.sharesMemory(with: sum))
    }

    @Test("a sum off the tape, and a product off the tape, take part as constants") func constants() {
        let (x, weight, sum) = (Self.random("x", [60, 40]), Self.random("w", [70, 40]), Self.random("s", [60, 70]))
        let ones = Tensor.filled(1, [60, 70])
        let first = Tape()
        let a = first.variable(x)
        let found = first.backward(from: [(a.linear(weight, addedTo: sum), ones)], variables: [a])
        #expect(found[0].shape == [60, 40] && found[0].values.contains { $0 != 0 })
        let second = Tape()
        let variable = second.variable(sum)
        let of = second.backward(from: [(x.linear(weight, addedTo: variable), ones)], variables: [variable])
        #expect(of[0].isIdentical(to: ones))
    }
}
