import Foundation
import Tensor
import Testing
import _TestSupport

/// What the kernels promise beyond the operations that use them: ranges, special numbers, ties, draws.
@Suite struct KernelTests {
    /// The numbers that `kernel` makes of `x`, written to `x.count` places.
    private static func mapped(
        _ x: [Float], _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        var out = [Float](repeating: .nan, count: x.count)
        x.withUnsafeBufferPointer { input in
            out.withUnsafeMutableBufferPointer { out in
                if let a = input.baseAddress, let b = out.baseAddress { kernel(a, b) }
            }
        }
        return out
    }

    @Test func theTableIsTheOneAskedFor() {
        #expect(Kernels.available.first == .portable)
        onEveryLevel { kernels, label in
            #expect(String(cString: kernels.name) == label)
        }
    }

    /// A panel has its columns side by side, with zeros up to a multiple of 16 and nothing behind them, whatever the strides are.
    @Test(arguments: [(1, 1), (16, 16), (17, 5), (64, 40), (33, 70)], [0, 1, 2])
    func packingAPanel(shape: (columns: Int, depth: Int), kind: Int) {
        let (columns, depth) = shape
        // as rows of a weight, as rows of activations, and with gaps on both sides
        let (depthStride, columnStride) = [(1, depth + 2), (columns + 3, 1), (2, 2 * depth + 5)][kind]
        let b = (0..<depth * depthStride + columns * columnStride).map { Float($0) * 0.37 - 3 }
        let width = (columns + 15) / 16 * 16
        let expected = (0..<depth * width).map { at in
            let (p, j) = (at / width, at % width)
            return j < columns ? b[p * depthStride + j * columnStride] : 0
        }
        onEveryLevel { kernels, label in
            var out = [Float](repeating: 7, count: depth * width + 16)
            var pairs = [UInt32](repeating: 7, count: (depth + 1) / 2 * width + 16)
            b.withUnsafeBufferPointer { b in
                out.withUnsafeMutableBufferPointer { out in
                    pairs.withUnsafeMutableBufferPointer { pairs in
                        guard let b = b.baseAddress, let out = out.baseAddress, let pairs = pairs.baseAddress else { return }
                        kernels.f32_pack(columns, depth, b, depthStride, columnStride, out)
                        kernels.bf16_pack(columns, depth, b, depthStride, columnStride, pairs)
                    }
                }
            }
            #expect(out == expected + Array(repeating: 7, count: 16), "\(label)")
            func rounded(_ p: Int, _ j: Int) -> UInt32 {
                guard p < depth else { return 0 }
                return Naive.roundedToBFloat16(expected[p * width + j]).bitPattern >> 16
            }
            let expectedPairs = (0..<(depth + 1) / 2 * width).map { at in
                rounded(at / width * 2, at % width) | rounded(at / width * 2 + 1, at % width) << 16
            }
            #expect(pairs == expectedPairs + Array(repeating: 7, count: 16), "\(label)")
        }
    }

    @Test func exponentialOverItsWholeRange() {
        // 200,001 numbers from −88 to 88, then the ends
        let x = (0...200_000).map { Float($0 - 100_000) * 88e-5 }
        onEveryLevel { kernels, label in
            let y = Self.mapped(x) { kernels.exponential(x.count, $0, $1) }
            // below −87.34 the result is 0; e^−87.34 is the smallest normal number
            let expected = x.map { $0 < -87.33654 ? 0 : exp(Double($0)) }
            expectClose(y, expected, relative: 2.5e-7, absolute: 0, label: label)
            let special = Self.mapped([0, -0.0, -87.4, -1_000, -.infinity, .nan, 88.72, 89, 1_000, .infinity]) {
                kernels.exponential(10, $0, $1)
            }
            #expect(Array(special[0...4]) == [1, 1, 0, 0, 0], "\(label)")
            #expect(special[5].isNaN, "\(label)")
            expectClose(special[6], exp(88.72), relative: 1e-4, label: label)
            // what would overflow saturates
            #expect(special[7...].allSatisfy { $0.isFinite && $0 > 3.4e38 }, "\(label)")
        }
    }

    @Test func geluOverItsWholeRange() {
        let x = (0...200_000).map { Float($0 - 100_000) * 12e-5 }
        let ones = [Float](repeating: 1, count: x.count)
        func below(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
        onEveryLevel { kernels, label in
            let y = Self.mapped(x) { kernels.gelu_erf(x.count, $0, $1) }
            expectClose(y, x.map { Double($0) * below(Double($0)) }, relative: 1.2e-7, absolute: 2.5e-7, label: "gelu, \(label)")
            let slope = Self.mapped(x) { kernels.gelu_erf_backward(x.count, $0, ones, $1) }
            let expected = x.map { x in
                let x = Double(x)
                return below(x) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            }
            expectClose(slope, expected, relative: 1.2e-7, absolute: 1.5e-7, label: "slope, \(label)")
            let special = Self.mapped([.nan, .infinity, -.infinity, -1e30, -0.0]) { kernels.gelu_erf(5, $0, $1) }
            #expect(special[0].isNaN && special[1] == .infinity && special[4] == 0, "\(label)")
            #expect(special[2...3].allSatisfy { abs($0) < 1e-9 }, "\(label)")
        }
    }

    /// A row's products are the same bits whatever rows and columns are beside it.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 25, 33])
    func aFewRowsOfALinearLayer(rows: Int) {
        for (columns, depth) in [(1, 3), (5, 16), (6, 40), (13, 33), (50, 64)] {
            Self.checkFewRows(rows, columns: columns, depth: depth, absolute: 1e-5)
        }
    }

    /// Expects `linear_few` to give the sums of the definition, to write nothing behind them, and to give a row the same bits alone.
    static func checkFewRows(_ rows: Int, columns: Int, depth: Int, absolute: Double) {
        let x = OpCase.Input.normal("x", [rows, depth]).values
        let w = OpCase.Input.normal("w", [columns, depth]).values
        let expected = Naive.linear(x.map(Double.init), rows: rows, inputs: depth, weight: w.map(Double.init), outputs: columns)
        onEveryLevel { kernels, label in
            let label = "\(columns) columns, \(label)"
            var all = [Float](repeating: .nan, count: rows * columns + 1)
            kernels.linear_few(rows, columns, depth, x, depth, w, &all, columns)
            expectClose(Array(all.dropLast()), expected, relative: 1e-5, absolute: absolute, label: label)
            #expect(all[rows * columns].isNaN, "\(label)")
            for row in [0, rows / 2, rows - 1] {
                var one = [Float](repeating: .nan, count: columns)
                kernels.linear_few(1, columns, depth, Array(x[row * depth..<(row + 1) * depth]), depth, w, &one, columns)
                #expect(one == Array(all[row * columns..<(row + 1) * columns]), "row \(row), \(label)")
            }
        }
    }

    @Test func activationsFarFromZeroAndNearIt() {
        let x: [Float] = [
            -1e4, -100, -50, -20, -10, -6, -5, -1, -0.5, -0.1, -0.01, -1e-4, -1e-20, 0, 1e-20, 1e-4, 0.01, 0.1, 0.5, 1, 5, 6, 10, 20,
            50, 100, 1e4,
        ]
        let doubles = x.map(Double.init)
        let inner = { (x: Double) in (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x) }
        onEveryLevel { kernels, label in
            func check(
                _ name: String, _ kernel: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void,
                _ naive: (Double) -> Double
            ) {
                expectClose(
                    Self.mapped(x) { kernel(x.count, $0, $1) }, doubles.map(naive), relative: 2e-6, absolute: 3e-7,
                    label: "\(name), \(label)")
            }
            check("tanh", kernels.tanh_forward) { Foundation.tanh($0) }
            check("relu", kernels.relu) { max($0, 0) }
            check("gelu", kernels.gelu_erf) { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }
            check("tanh gelu", kernels.gelu_tanh) { 0.5 * $0 * (1 + Foundation.tanh(inner($0))) }
            let ones = [Float](repeating: 1, count: x.count)
            check("swiglu", { kernels.swiglu($0, $1, ones, $2) }) { $0 / (1 + exp(-$0)) }
            check("gelu slope", { kernels.gelu_erf_backward($0, $1, ones, $2) }) {
                0.5 * erfc(-$0 / 2.0.squareRoot()) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot()
            }
            let tanh = Self.mapped([.nan, .infinity, -.infinity]) { kernels.tanh_forward(3, $0, $1) }
            #expect(tanh[0].isNaN && tanh[1] == 1 && tanh[2] == -1, "\(label)")
        }
        let logSigmoid = Tensor(x, shape: [x.count]).logSigmoid().values
        expectClose(logSigmoid, doubles.map { min($0, 0) - log1p(exp(-abs($0))) }, relative: 2e-6, absolute: 2e-7)
    }

    @Test(arguments: [1, 2, 7, 15, 16, 17, 31, 32, 33, 100]) func argmaxIsTheFirstGreatest(width: Int) {
        onEveryLevel { kernels, label in
            for place in 0..<width {
                var x = OpCase.Input.normal("x", [width]).values
                x[place] = 50
                #expect(kernels.argmax(width, x) == place, "\(label)")
                x[width - 1] = 50
                #expect(kernels.argmax(width, x) == place, "\(label)")
                x = [Float](repeating: -.infinity, count: width)
                x[place] = -1_000
                #expect(kernels.argmax(width, x) == place, "\(label)")
            }
            #expect(kernels.argmax(width, [Float](repeating: -3, count: width)) == 0, "\(label)")
        }
    }

    @Test(arguments: [1, 7, 16, 17, 33, 100, 5_000], [Float(1), 0.5, 3])
    func logSumExp(width: Int, temperature: Float) {
        var x = OpCase.Input.normal("x", [width], mean: 100, deviation: 20).values
        onEveryLevel { kernels, label in
            for masked in [0, width / 2] {
                for index in 0..<masked { x[width - 1 - index] = -.infinity }
                let scaled = x.map { Double($0) / Double(temperature) }
                let peak = scaled.max() ?? 0
                expectClose(
                    kernels.log_sum_exp(width, 1 / temperature, x), peak + log(scaled.reduce(0) { $0 + exp($1 - peak) }),
                    relative: 1e-6, label: label)
            }
            #expect(kernels.log_sum_exp(width, 1, [Float](repeating: -.infinity, count: width)) == -.infinity, "\(label)")
        }
    }

    @Test(arguments: [1, 2, 16, 17, 100, 256, 257, 600]) func aDrawFindsItsPlaceInTheRunningSum(width: Int) {
        var x = OpCase.Input.normal("x", [width], deviation: 2).values
        for index in stride(from: 1, to: width, by: 5) { x[index] = -.infinity }
        let temperature: Float = 0.8
        let scaled = x.map { Double($0) / Double(temperature) }
        let logSumExp = log(scaled.reduce(0) { $0 + exp($1) })
        let probabilities = scaled.map { exp($0 - logSumExp) }
        onEveryLevel { kernels, label in
            func draw(_ uniform: Float) -> Int {
                kernels.sample(width, 1 / temperature, Float(logSumExp), uniform, x)
            }
            var below = 0.0
            for (index, p) in probabilities.enumerated() {
                if p > 1e-4 { #expect(draw(Float(below + p / 2)) == index, "\(label)") }
                below += p
            }
            #expect(draw(0) == 0, "\(label)")
            let last = x.lastIndex { $0 > -.infinity }
            #expect(draw(2) == last, "\(label): a sum that stays below the draw ends at the last possible token")
        }
    }

    @Test func drawsFollowTheDistribution() {
        let x: [Float] = [1, 0, -1, 2, -.infinity, 0.5]
        let p = Naive.softmax(x.map(Double.init), width: 6)
        var generator = Philox(seed: 10)
        let count = 50_000
        var counts = [Int](repeating: 0, count: 6)
        let logSumExp = TokenSampling.logSumExp(x, count: 6, temperature: 1)
        for _ in 0..<count {
            counts[
                TokenSampling.draw(
                    x, count: 6, temperature: 1, logSumExp: logSumExp, uniform: generator.uniform())] += 1
        }
        #expect(counts[4] == 0)
        for index in 0..<6 {
            let expected = p[index] * Double(count)
            #expect(abs(Double(counts[index]) - expected) <= 5 * (expected + 1).squareRoot())
        }
        #expect(TokenSampling.argmax(x, count: 6) == 3)
    }

    @Test(arguments: [0, 1, 7, 16, 17, 33, 100, 5_000]) func sumsInBlocks(count: Int) {
        let (a, b) = (OpCase.Input.normal("a", [count], mean: 1).values, OpCase.Input.normal("b", [count]).values)
        onEveryLevel { kernels, label in
            expectClose(kernels.sum(count, a), a.reduce(0) { $0 + Double($1) }, relative: 1e-6, absolute: 1e-6, label: label)
            expectClose(
                kernels.dot(count, a, b), zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }, relative: 1e-6,
                absolute: 1e-4, label: label)
            var sum = b
            kernels.scale_add(count, 2, a, &sum)
            expectClose(sum, zip(a, b).map { 2 * Double($0) + Double($1) }, relative: 1e-6, absolute: 1e-6, label: label)
        }
    }

    @Test func longSumsLoseNothing() {
        let count = 3_000_000
        let tensor = Tensor.filled(0.1, [count])
        onEveryBuild { label, _ in
            expectClose(tensor.sum().item, Double(Float(0.1)) * Double(count), relative: 1e-6, label: label)
            expectClose(
                tensor.sumOfSquares(), Double(Float(0.1)) * Double(Float(0.1)) * Double(count), relative: 1e-6, label: label)
        }
    }

    /// The kernels write what they are asked for and nothing beyond.
    @Test(arguments: [1, 7, 16, 17, 33]) func nothingIsWrittenPastTheEnd(width: Int) {
        let guarded = width + 40
        onEveryLevel { kernels, label in
            let x = OpCase.Input.normal("x", [guarded]).values
            func check(_ name: String, _ kernel: (UnsafeMutablePointer<Float>) -> Void) {
                var out = [Float](repeating: 77, count: guarded)
                kernel(&out)
                #expect(out[width...].allSatisfy { $0 == 77 }, "\(name), \(label)")
            }
            check("add") { kernels.add(width, x, x, $0) }
            check("exponential") { kernels.exponential(width, x, $0) }
            check("softmax") { kernels.softmax(1, width, x, $0) }
            check("rms_norm") { kernels.rms_norm(1, width, x, x, 1e-5, $0, nil) }
            check("layer_norm") { kernels.layer_norm(1, width, x, x, x, 1e-5, $0, nil, nil) }
            check("linear_few") { kernels.linear_few(1, width, 1, x, 1, x, $0, width) }
        }
    }
}
