import Tensor
import Testing
import _TestSupport

/// Activations and gradients that are rounded to bfloat16 once: the same bits as rounding for each product, and half of the memory.
@Suite struct RoundedRowsTests {
    private static func random(_ name: String, _ shape: Shape) -> Tensor { OpCase.Input.normal(name, shape).tensor }

    // MARK: Kernels

    @Test("columns and panels of rows of pairs", arguments: [(1, 1), (2, 16), (5, 33), (16, 32), (17, 40), (40, 64), (70, 31), (33, 63)])
    func kernels(shape: (depth: Int, columns: Int)) {
        let (depth, columns) = shape
        // a gap between rows that no kernel may read into its result
        let stride = (columns + 1) / 2 + 3
        var pairs = (0..<depth * stride).map { UInt32(truncatingIfNeeded: ($0 + 1) * 0x9E37_79B9) }
        if columns % 2 == 1 { for row in 0..<depth { pairs[row * stride + columns / 2] &= 0xFFFF } }
        func number(_ row: Int, _ column: Int) -> UInt32 {
            row < depth && column < columns ? pairs[row * stride + column / 2] >> UInt32(column % 2 * 16) & 0xFFFF : 0
        }
        func pair(_ index: Int, _ column: Int) -> UInt32 { number(2 * index, column) | number(2 * index + 1, column) << 16 }
        let (length, width) = ((depth + 1) / 2, (columns + 15) / 16 * 16)
        let untouched = [UInt32](repeating: 7, count: 16)
        let expectedRows = (0..<columns * length).map { pair($0 % length, $0 / length) } + untouched
        let expectedPanel = (0..<length * width).map { pair($0 / width, $0 % width) } + untouched
        for level in Kernels.available {
            let kernels = Kernels.$level.withValue(level) { Kernels.current.pointee }
            var rows = [UInt32](repeating: 7, count: expectedRows.count)
            var panel = [UInt32](repeating: 7, count: expectedPanel.count)
            pairs.withUnsafeBufferPointer { pairs in
                rows.withUnsafeMutableBufferPointer { rows in
                    panel.withUnsafeMutableBufferPointer { panel in
                        guard let pairs = pairs.baseAddress, let rows = rows.baseAddress, let panel = panel.baseAddress else { return }
                        kernels.bf16_turn(columns, depth, pairs, stride, rows)
                        kernels.bf16_pack_pairs(columns, depth, pairs, stride, panel)
                    }
                }
            }
            #expect(rows == expectedRows, "\(level)")
            #expect(panel == expectedPanel, "\(level)")
        }
    }

    // MARK: Bits

    /// Two layers that read the same activation: outputs and gradients.
    private struct Layers {
        let x: Tensor
        let weights: [Tensor]
        let dy: [Tensor]

        /// - Parameter isNarrow: whether the weights are stored in bfloat16, and packed on the fly.
        init(rows: Int, inputs: Int, outputs: [Int], isNarrow: Bool = false) throws {
            x = random("x", [rows, inputs])
            weights = try outputs.enumerated().map {
                let weight = random("w\($0.offset)", [$0.element, inputs])
                guard isNarrow else { return weight }
                return Tensor(shape: weight.shape, narrow: try .rounding(weight.storage, count: weight.count, to: .bf16))
            }
            dy = outputs.enumerated().map { random("dy\($0.offset)", [rows, $0.element]) }
        }

        /// Both outputs, dx, and the gradients of both weights.
        /// - Parameter isKept: whether the layers read a variable, whose floats are kept, or the result of an operation.
        func results(isKept: Bool) -> [Tensor] {
            let tape = Tape()
            let (a, variables) = (tape.variable(x), weights.map(tape.variable))
            let h = isKept ? a : a.scaled(by: 1)
            let y = variables.map { h.linear($0) }
            return y.map(\.detached) + tape.backward(from: Array(zip(y, dy)).map { ($0, $1) }, variables: [a] + variables)
        }

        /// The same from products that round floats themselves.
        var separate: [Tensor] {
            let (rows, inputs) = (x.shape[0], x.shape[1])
            let y = weights.map { weight in
                Tensor.uninitialized([rows, weight.shape[0]]) {
                    PackedWeight(.bf16, depth: inputs, columns: weight.shape[0], RightHandMatrix(weight, transposed: true)).multiply(
                        rows: rows, .plain(x.pointer, stride: inputs), into: $0, stride: weight.shape[0])
                }
            }
            // the backward pass begins with the last layer
            let dx = Tensor.uninitialized([rows, inputs]) { out in
                for (index, (weight, dy)) in zip(weights, dy).reversed().enumerated() {
                    PackedWeight(.bf16, depth: weight.shape[0], columns: inputs, RightHandMatrix(weight, transposed: false)).multiply(
                        rows: rows, .plain(dy.pointer, stride: weight.shape[0]), into: out, stride: inputs, beta: index == 0 ? 0 : 1)
                }
            }
            let dweights = dy.map { dy in
                Tensor.uninitialized([dy.shape[1], inputs]) {
                    PackedWeight(.bf16, depth: rows, columns: inputs, .floats(.plain(x.pointer, stride: inputs))).multiply(
                        rows: dy.shape[1], .transposed(dy.pointer, stride: dy.shape[1]), into: $0, stride: inputs)
                }
            }
            return y + [dx] + dweights
        }
    }

    private static func compare(_ layers: Layers, _ label: String) {
        let expected = layers.separate
        for isKept in [false, true] {
            let results = Compute.$precision.withValue(.bf16) { layers.results(isKept: isKept) }
            expectIdentical(results, expected, "\(label), kept: \(isKept)")
        }
    }

    @Test("one rounding gives the bits of a rounding for each product", arguments: [(1, 17, 40), (3, 40, 17), (50, 33, 19), (70, 96, 130)])
    func bits(shape: (rows: Int, inputs: Int, outputs: Int)) throws {
        for isNarrow in [false, true] {
            let layers = try Layers(
                rows: shape.rows, inputs: shape.inputs, outputs: [shape.outputs, shape.outputs + 8], isNarrow: isNarrow)
            onEveryBuild { label, _ in Self.compare(layers, "\(label), narrow weights: \(isNarrow)") }
        }
    }

    /// Columns of dy are transposed in more than one part.
    @Test func bitsOfManyColumns() throws {
        let layers = try Layers(rows: 1030, inputs: 17, outputs: [2100, 20])
        for threads in [1, 2] { Compute.$threads.withValue(threads) { Self.compare(layers, "threads: \(threads)") } }
    }

    @Test func aBackwardPassInFloatsReadsRoundedNumbers() throws {
        let layers = try Layers(rows: 60, inputs: 40, outputs: [30])
        func gradient(_ precision: Compute.Precision) -> Tensor {
            let tape = Tape()
            let (a, weight) = (tape.variable(layers.x), tape.variable(layers.weights[0]))
            let y = Compute.$precision.withValue(precision) { a.scaled(by: 1).linear(weight) }
            return tape.backward(from: [(y, layers.dy[0])], variables: [weight])[0]
        }
        let (rounded, exact) = (gradient(.bf16), gradient(.f32))
        let most = exact.values.reduce(0) { max($0, abs(Double($1))) }
        expectClose(rounded, exact, relative: 0, absolute: 1e-2 * most, label: "gradient")
        #expect(!rounded.isIdentical(to: exact))
    }

    // MARK: What is kept

    /// Whether floats and the rounded form of an activation live after the forward pass. Neither may live after the backward pass.
    private static func kept(
        _ precision: Compute.Precision, outputs: Int = 40, isTrainable: Bool = true, _ operation: (Tensor) -> Tensor
    ) -> [Bool] {
        Compute.$precision.withValue(precision) {
            let weight = Parameter("w", random("w", [outputs, 48]), isTrainable: isTrainable)
            let tape = Tape()
            let variable = tape.variable(random("x", [60, 48]))
            weak var floats: Storage?
            weak var rounded: RoundedRows?
            let y: Tensor
            do {
                let activation = operation(variable)
                y = activation.linear(weight.on(tape))
                (floats, rounded) = (activation.storage, activation.heldRounding)
            }
            let found = [floats != nil, rounded != nil]
            tape.backward(from: [(y, .filled(1, y.shape))])
            #expect(floats == nil && rounded == nil)
            return found
        }
    }

    @Test func theTapeKeepsWhatTheBackwardPassReads() {
        let passing: (Tensor) -> Tensor = { $0.scaled(by: 2) }
        #expect(Self.kept(.bf16, passing) == [false, true])
        #expect(Self.kept(.f32, passing) == [true, false])
        // nothing is saved for a frozen weight; the gradient of one with a short side is not rounded
        #expect(Self.kept(.bf16, isTrainable: false, passing) == [false, false])
        #expect(Self.kept(.bf16, outputs: 16, passing) == [true, false])
        #expect(Self.kept(.bf16, outputs: 8, passing) == [true, false])
        // floats that the operation keeps in any case are not kept a second time
        #expect(Self.kept(.bf16) { $0.tanh() } == [true, false])
        #expect(Self.kept(.bf16) { $0.tanh().reshaped([48, 60]).reshaped([60, 48]) } == [true, false])
        #expect(Self.kept(.bf16) { $0.gelu() } == [false, true])
    }

    @Test func layersOnATapeShareARounding() throws {
        try Compute.$precision.withValue(.bf16) {
            let weights = ["a", "b"].map { Parameter($0, Self.random($0, [40, 48])) }
            let tape = Tape()
            var activation = tape.variable(Self.random("x", [60, 48])).scaled(by: 2)
            #expect(activation.heldRounding == nil)
            let first = activation.linear(weights[0].on(tape))
            let rounding = try #require(activation.heldRounding)
            _ = activation.linear(weights[1].on(tape))
            #expect(activation.heldRounding === rounding)
            #expect(activation.reshaped([120, 24]).heldRounding == nil)
            // a change of the elements ends it
            activation.update { for index in $0.indices { $0[index] *= 2 } }
            #expect(activation.heldRounding == nil)
            let doubled = activation.linear(weights[0].on(tape))
            #expect(doubled.isIdentical(to: first.scaled(by: 2)))
        }
    }

    /// In a process of its own, because others allocate, too. Norms, an attention's three projections and a gated MLP: in bf16, the
    /// tape keeps two bytes less of each number that only products read.
    @Test func savedBytesOfABlock() async {
        await #expect(processExitsWith: .success) {
            let (rows, width, inner) = (256, 64, 128)
            let x = Tensor.filled(0.5, [rows, width])
            let norms = ["n", "m"].map { Parameter($0, .filled(1, [width])) }
            let inputs = ["q", "k", "v"].map { Parameter($0, .filled(0.1, [width, width])) }
            let gates = ["g", "u"].map { Parameter($0, .filled(0.1, [inner, width])) }
            let down = Parameter("d", .filled(0.1, [width, inner]))
            func block(_ x: Tensor, _ tape: Tape?) -> Tensor {
                let first = x.rmsNormalised(weight: norms[0].on(tape), epsilon: 1e-5)
                let parts = inputs.map { first.linear($0.on(tape)) }
                let second = (parts[0] + parts[1] + parts[2]).rmsNormalised(weight: norms[1].on(tape), epsilon: 1e-5)
                return second.linear(gates[0].on(tape)).swiglu(up: second.linear(gates[1].on(tape))).linear(down.on(tape))
            }
            func saved(_ precision: Compute.Precision) -> Int {
                Compute.$precision.withValue(precision) {
                    // packs the weights
                    _ = block(x, nil)
                    let before = Allocator.shared.bytesInUse
                    let tape = Tape()
                    let y = block(tape.variable(x), tape)
                    let bytes = Allocator.shared.bytesInUse - before
                    tape.backward(from: [(y, .filled(1, y.shape))])
                    return bytes
                }
            }
            let (floats, rounded) = (saved(.f32), saved(.bf16))
            precondition(
                floats - rounded == 2 * rows * (2 * width + inner), "the tape saves \(floats) bytes in f32 and \(rounded) in bf16")
        }
    }
}
