import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Activations and gradients that are rounded to bfloat16 where they are made: the same bits as rounding floats afterwards.
@Suite struct RoundedWhereMadeTests {
    private static func random(_ name: String, _ shape: Shape) -> Tensor { OpCase.Input.normal(name, shape).tensor }

    /// The functions of a matrix that can make it rounded.
    private static let functions: [(name: String, apply: @Sendable (Tensor, Bool) -> Tensor)] = [
        ("RMSNorm", { $0.rmsNormalised(weight: random("w", [$0.shape[1]]), epsilon: 1e-5, isRounded: $1) }),
        (
            "LayerNorm",
            {
                $0.layerNormalised(
                    weight: random("w", [$0.shape[1]]), bias: random("b", [$0.shape[1]]), epsilon: 1e-5, isRounded: $1)
            }
        ),
        ("SwiGLU", { $0.gated(.silu, up: random("up", $0.shape), isRounded: $1) }),
        ("GeGLU", { $0.gated(.geluTanh, up: random("up", $0.shape), isRounded: $1) }),
        ("ReLU", { $0.activated(.relu, isRounded: $1) }), ("GELU", { $0.activated(.gelu, isRounded: $1) }),
        ("tanh GELU", { $0.activated(.geluTanh, isRounded: $1) }), ("SiLU", { $0.activated(.silu, isRounded: $1) }),
        ("quick GELU", { $0.activated(.quickGELU, isRounded: $1) }),
    ]

    // MARK: Values

    @Test("the bits are those of floats that are rounded", arguments: [(1, 2), (3, 34), (50, 48), (7, 1030), (130, 96), (40, 2048)])
    func values(shape: (rows: Int, width: Int)) throws {
        let x = Self.random("x", [shape.rows, shape.width])
        for (name, apply) in Self.functions {
            try onEveryBuild { label, _ in
                let made = apply(x, true)
                let expected = apply(x, false).values.map(FloatConversion.narrowToBFloat16)
                #expect(made.heldRounding != nil && made.shape == x.shape, "\(name), \(label)")
                let narrow = try #require(made.storage.narrow)
                let bits = (0..<narrow.count).map { UInt16(littleEndian: narrow.pointer[$0]) }
                #expect(bits == expected, "\(name), \(label)")
            }
        }
    }

    @Test("rows of an odd width, and arrays that are no matrix, are made as floats", arguments: [[5, 33], [2, 3, 34]])
    func floats(extents: [Int]) {
        let x = Self.random("x", [extents.dropLast().reduce(1, *), extents.last ?? 1]).reshaped(Shape(extents))
        for (name, apply) in Self.functions where name != "LayerNorm" && name != "RMSNorm" || extents.count == 2 {
            let made = apply(x, true)
            #expect(made.storage.format == .f32 && made.isIdentical(to: apply(x, false)), "\(name)")
        }
    }

    @Test func otherOperationsReadRoundedNumbers() {
        let (x, other) = (Self.random("x", [50, 34]), Self.random("other", [50, 34]))
        let made = x.gated(.silu, up: other, isRounded: true)
        let numbers = Tensor(made.values, shape: made.shape)
        #expect(numbers.storage.format == .f32)
        #expect((made + other).isIdentical(to: numbers + other))
        #expect(made.rows([3, 0, 3]).isIdentical(to: numbers.rows([3, 0, 3])))
        #expect(made.columns(2..<7).isIdentical(to: numbers.columns(2..<7)))
        let wide = Self.random("w", [40, 68])
        #expect(made.reshaped([25, 68]).linear(wide).isIdentical(to: numbers.reshaped([25, 68]).linear(wide)))
        // products in floats, and their gradients
        for outputs in [1, 40] {
            let weight = Self.random("w", [outputs, 34])
            func results(_ x: Tensor) -> [Tensor] {
                let tape = Tape()
                let (x, weight) = (tape.variable(x), tape.variable(weight))
                let y = x.linear(weight)
                return [y.detached] + tape.backward(from: [(y, .filled(0.5, y.shape))], variables: [x, weight])
            }
            for precision in Compute.Precision.allCases {
                Compute.$precision.withValue(precision) {
                    for (a, b) in zip(results(made), results(numbers)) { #expect(a.isIdentical(to: b), "\(outputs), \(precision)") }
                }
            }
        }
    }

    @Test func weightsSayWhetherTheyRoundTheirInput() {
        func rounds(_ outputs: Int, rows: Int = 48, isTrained: Bool = true, _ precision: Compute.Precision = .bf16) -> Bool {
            Compute.$precision.withValue(precision) { Self.random("w", [outputs, 40]).roundsInput(rows: rows, isTrained: isTrained) }
        }
        #expect(rounds(40))
        #expect(!rounds(40, .f32))
        // few rows, as in decoding, are left alone
        #expect(!rounds(40, rows: 47))
        // the gradient of a weight with a short side reads floats
        #expect(!rounds(16) && rounds(16, isTrained: false))
        #expect(!rounds(15, isTrained: false))
    }

    // MARK: Gradients

    /// The parts of a layer with every function whose gradient can be rounded where it is made.
    private struct Layer {
        let rows: Int
        let width: Int
        let inner: Int
        let x: Tensor
        let weights: [Tensor]
        let vectors: [Tensor]
        let bias: Tensor
        let table: RotaryTable
        let dy: Tensor

        init(rows: Int, width: Int, inner: Int) {
            (self.rows, self.width, self.inner) = (rows, width, inner)
            x = random("x", [rows, width])
            let shapes = [[width, width], [inner, width], [inner, width], [width, inner], [inner, width], [width, inner]]
            weights = shapes.enumerated().map { random("w\($0.offset)", [$0.element[0], $0.element[1]]).scaled(by: 0.2) }
            vectors = (0..<3).map { random("v\($0)", [width]) }
            bias = random("bias", [inner])
            table = RotaryTable(cosines: random("cos", [rows, 8]), sines: random("sin", [rows, 8]))
            dy = random("dy", [rows, width])
        }

        /// The output, dx and the gradients of all weights.
        /// - Parameters:
        ///   - isRounded: whether norms and activations are made rounded.
        ///   - keepsFloats: whether somebody wants the gradients between the operations, so that they must be floats.
        ///   - gated: the gated activation.
        ///   - hasBias: whether the layer before the plain activation has a bias.
        func results(isRounded: Bool, keepsFloats: Bool, _ gated: GatedActivation, hasBias: Bool) -> [Tensor] {
            let tape = Tape()
            let (x, w, v, b) = (tape.variable(x), weights.map(tape.variable), vectors.map(tape.variable), tape.variable(bias))
            // a norm behind a product: its dx is the product's dy
            let first = x.linear(w[0])
            let normed = first.rmsNormalised(weight: v[0], epsilon: 1e-5, isRounded: isRounded)
            let (gate, up) = (normed.linear(w[1]), normed.linear(w[2]))
            let down = gate.gated(gated, up: up, isRounded: isRounded).linear(w[3])
            let rotated = down.rotated(heads: 1, positions: (0..<rows).map { Int32($0) }, table: table)
            // a residual connection: dx of the norm is added to dy
            let middle = x + rotated
            let plain = middle.layerNormalised(weight: v[1], bias: v[2], epsilon: 1e-5, isRounded: isRounded)
                .linear(w[4], bias: hasBias ? b : nil)
            let result = middle + plain.activated(.gelu, isRounded: isRounded).linear(w[5])
            let between = keepsFloats ? [first, gate, up, plain] : []
            let gradients = tape.backward(from: [(result, dy)], variables: [x] + w + v + (hasBias ? [b] : []) + between)
            return [result.detached] + gradients.dropLast(between.count)
        }
    }

    @Test(
        "outputs and gradients have the bits of floats that are rounded for products",
        arguments: [(50, 34, 50), (3, 18, 70), (131, 48, 130), (60, 33, 41)], Compute.Precision.allCases)
    func gradients(shape: (rows: Int, width: Int, inner: Int), precision: Compute.Precision) {
        let layer = Layer(rows: shape.rows, width: shape.width, inner: shape.inner)
        for (gated, hasBias) in [(GatedActivation.silu, false), (.geluTanh, true)] {
            var single: [Tensor] = []
            onEveryBuild { label, threads in
                Compute.$precision.withValue(precision) {
                    let expected = layer.results(isRounded: false, keepsFloats: true, gated, hasBias: hasBias)
                    let results = layer.results(isRounded: precision == .bf16, keepsFloats: false, gated, hasBias: hasBias)
                    if threads == 1 { single = results }
                    #expect(results.count == expected.count && results.count == (hasBias ? 12 : 11))
                    for (index, result) in results.enumerated() {
                        #expect(result.isIdentical(to: expected[index]), "\(label), \(precision), \(gated), result \(index)")
                        #expect(result.isIdentical(to: single[index]), "\(label), \(precision): the number of threads shows")
                    }
                }
            }
        }
    }

    @Test("the gradient of a norm's input is added to that of a residual connection", arguments: [1, 65, 200])
    func residualGradients(rows: Int) {
        let (x, weight, bias) = (Self.random("x", [rows, 33]), Self.random("w", [33]), Self.random("b", [33]))
        let norms: [(Tensor) -> Tensor] = [
            { $0.rmsNormalised(weight: weight, epsilon: 1e-5) }, { $0.layerNormalised(weight: weight, bias: bias, epsilon: 1e-5) },
        ]
        let dy = Self.random("dy", [rows, 33])
        let given = Tensor(dy.values, shape: dy.shape)
        for norm in norms {
            func gradient(_ operation: (Tensor) -> Tensor) -> Tensor {
                let tape = Tape()
                let x = tape.variable(x)
                return tape.backward(from: [(operation(x), dy)], variables: [x])[0]
            }
            onEveryBuild { label, _ in
                #expect(gradient { $0 + norm($0) }.isIdentical(to: dy + gradient(norm)), "\(label)")
            }
        }
        // it is not added to memory that others share
        #expect(dy.isIdentical(to: given))
    }

    /// How often a matrix of floats is rounded in a forward and a backward pass.
    private static func roundings(_ layer: Layer, isRounded: Bool, keepsFloats: Bool, hasBias: Bool) -> Int {
        let profile = ComputeProfile()
        return Compute.$profile.withValue(profile) {
            Compute.$precision.withValue(.bf16) {
                _ = layer.results(isRounded: isRounded, keepsFloats: keepsFloats, .silu, hasBias: hasBias)
            }
            return profile.report.operations.first { $0.name == "RoundedRows.init" }?.calls ?? 0
        }
    }

    @Test func matricesThatAreMadeRoundedAreNotRoundedAgain() {
        let layer = Layer(rows: 50, width: 34, inner: 50)
        // 5 inputs and 6 gradients
        #expect(Self.roundings(layer, isRounded: false, keepsFloats: true, hasBias: false) == 11)
        // x, dy and the gradient of rotary positions are floats
        #expect(Self.roundings(layer, isRounded: true, keepsFloats: false, hasBias: false) == 3)
        // so is the gradient that the sums of a bias read
        #expect(Self.roundings(layer, isRounded: true, keepsFloats: false, hasBias: true) == 4)
        #expect(Self.roundings(layer, isRounded: true, keepsFloats: true, hasBias: false) == 7)
    }

    @Test("a gradient that several operations give, or that is wanted, is floats")
    func sharedGradients() {
        let (x, weights) = (Self.random("x", [50, 34]), ["a", "b"].map { Self.random($0, [40, 34]) })
        /// The gradients of x and of the first weight.
        /// - Parameter operation: reads the outputs of two layers.
        func gradients(isWanted: Bool, _ operation: ([Tensor]) -> Tensor) -> [Tensor] {
            Compute.$precision.withValue(.bf16) {
                let tape = Tape()
                let (x, w) = (tape.variable(x), weights.map(tape.variable))
                let y = w.map { x.linear($0) }
                let result = operation(y)
                let all = tape.backward(from: [(result, Self.random("dy", result.shape))], variables: [x, w[0]] + (isWanted ? y : []))
                return Array(all.prefix(2))
            }
        }
        let operations: [([Tensor]) -> Tensor] = [
            { $0[0].swiglu(up: $0[1]) + $0[0] }, { $0[0] + $0[0].swiglu(up: $0[1]) }, { $0[0].swiglu(up: $0[0]) },
            { $0[0].swiglu(up: $0[1]) + $0[0].gelu() }, { $0[0].swiglu(up: $0[1].reshaped([40, 50]).reshaped([50, 40])) },
        ]
        for (index, operation) in operations.enumerated() {
            for (a, b) in zip(gradients(isWanted: false, operation), gradients(isWanted: true, operation)) {
                #expect(a.isIdentical(to: b), "operation \(index)")
            }
        }
    }
}
