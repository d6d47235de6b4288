import Tensor
import Testing
import _TestSupport

/// Products of floats that are split into three bfloat16 numbers each, where the processor has tile registers for them.
@Suite(.enabled(if: Kernels.available.contains(.amx))) struct SplitProductTests {
    /// The product on one build.
    private static func product(_ a: Tensor, _ b: Tensor, _ level: Kernels.Level, transposed: Bool = false) -> [Float] {
        Kernels.$level.withValue(level) { a.matmul(b, transposed: transposed).values }
    }

    /// The sums in Double, and those of the absolute products.
    private static func sums(_ a: Tensor, _ b: Tensor) -> (exact: [Double], absolute: [Double]) {
        let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
        let (x, y) = (a.values.map(Double.init), b.values.map(Double.init))
        var (exact, absolute) = ([Double](repeating: 0, count: m * n), [Double](repeating: 0, count: m * n))
        for i in 0..<m {
            for p in 0..<k {
                for j in 0..<n {
                    exact[i * n + j] += x[i * k + p] * y[p * n + j]
                    absolute[i * n + j] += abs(x[i * k + p] * y[p * n + j])
                }
            }
        }
        return (exact, absolute)
    }

    /// Numbers of either sign from 2^-40 to 2^40, with all 24 bits: no part of a product is so small that it counts as 0.
    private static func ofAllSizes(_ shape: Shape, seed: UInt64) -> Tensor {
        var generator = Philox(seed: seed)
        let sizes = Tensor.normal(shape, standardDeviation: 15, using: &generator).values
        let numbers = Tensor.normal(shape, standardDeviation: 1, using: &generator).values
        let values = zip(numbers, sizes).map { number, size in
            number * Float(sign: .plus, exponent: min(40, max(-40, Int(size))), significand: 1)
        }
        return Tensor(values, shape: shape)
    }

    /// One product alone: nothing but the three parts that are left out may be missing.
    @Test func aProductKeepsItsBits() {
        let (a, b) = (Self.ofAllSizes([400, 16], seed: 1), Self.ofAllSizes([16, 400], seed: 2))
        // sixteen deep, but all zeros behind the first
        let first = Tensor(a.values.enumerated().map { $0.offset % 16 == 0 ? $0.element : 0 }, shape: a.shape)
        let (exact, _) = Self.sums(first, b)
        let worst = zip(Self.product(first, b, .amx), exact).map { abs(Double($0) - $1) / max(1e-300, abs($1)) }.max() ?? 1
        // half a unit in the last place is 2^-24
        #expect(worst < 1.5 * 0x1p-23, "\(worst)")
        #expect(worst > 0)
    }

    /// A sum of many numbers loses half of what floats lose; one of few that count, hardly more than they do.
    @Test(arguments: [(48, 100, 64), (100, 700, 130), (64, 2_000, 48)])
    func theErrorIsThatOfFloats(shape: (m: Int, k: Int, n: Int)) {
        let (m, k, n) = shape
        func ratio(_ a: Tensor, _ b: Tensor) -> Double {
            let (exact, absolute) = Self.sums(a, b)
            func error(_ level: Kernels.Level) -> Double {
                zip(Self.product(a, b, level), zip(exact, absolute)).reduce(0) { sum, number in
                    let one = (Double(number.0) - number.1.0) / number.1.1
                    return sum + one * one
                }.squareRoot()
            }
            return error(.amx) / error(.avx512)
        }
        let equal = ratio(OpCase.Input.normal("a", [m, k]).tensor, OpCase.Input.normal("b", [k, n]).tensor)
        #expect(equal < 0.8, "\(equal)")
        let different = ratio(Self.ofAllSizes([m, k], seed: 3), Self.ofAllSizes([k, n], seed: 4))
        #expect(different < 1.3, "\(different)")
        #expect(min(equal, different) > 0.1)
    }

    /// What is not a number, or too large, is not hidden: it spoils its row or column, as it does in floats, and no other.
    @Test(arguments: [Float.nan, -.nan, .infinity, -.infinity, Float(bitPattern: 0x7FFF_FFFF), Float(bitPattern: 0xFFFF_FFFF)])
    func whatIsNotFiniteShows(bad: Float) {
        let (m, k, n) = (60, 70, 80)
        for isLeft in [true, false] {
            var (a, b) = (Tensor.filled(1.5, [m, k]), Tensor.filled(0.75, [k, n]))
            if isLeft { a.update { $0[7 * k + 33] = bad } } else { b.update { $0[33 * n + 7] = bad } }
            let values = Self.product(a, b, .amx)
            for (at, value) in values.enumerated() {
                let isSpoilt = isLeft ? at / n == 7 : at % n == 7
                #expect(isSpoilt ? !value.isFinite : value == 1.5 * 0.75 * Float(k))
            }
        }
    }

    /// Splitting changes how the processor treats tiny numbers, and must leave the thread that it ran on as it was.
    @Test(arguments: [false, true]) func tinyNumbersAreWhatTheyWere(transposed: Bool) {
        let tiny = Tensor.filled(.leastNonzeroMagnitude, [64])
        let (a, b) = (Tensor.filled(0x1p-133, [64, 64]), Tensor.filled(1, [64, 64]))
        Compute.$threads.withValue(1) {
            #expect(Self.product(a, b, .amx, transposed: transposed).allSatisfy { $0 == 0 })
            // bits, because a processor that takes tiny numbers for 0 would compare them as such
            #expect((tiny + tiny).values.allSatisfy { $0.bitPattern == 2 })
            #expect(tiny.sum().values.map(\.bitPattern) == [64])
        }
    }

    /// A matrix read the other way gives the same bits: turning it is copying.
    @Test(arguments: [(16, 16, 16), (50, 33, 70), (33, 391, 500), (130, 800, 65)])
    func turningChangesNothing(shape: (m: Int, k: Int, n: Int)) {
        let (m, k, n) = shape
        let (a, b) = (OpCase.Input.normal("a", [m, k]).tensor, OpCase.Input.normal("b", [k, n]).tensor)
        func turned(_ x: Tensor) -> Tensor {
            let (rows, columns, values) = (x.shape[0], x.shape[1], x.values)
            return Tensor((0..<x.count).map { values[$0 % rows * columns + $0 / rows] }, shape: [columns, rows])
        }
        let plain = Self.product(a, b, .amx)
        #expect(Self.product(turned(a), b, .amx, transposed: true) == plain)
        Kernels.$level.withValue(.amx) {
            #expect(a.matmul(turned(b), otherTransposed: true).values == plain)
            #expect(turned(a).matmul(turned(b), transposed: true, otherTransposed: true).values == plain)
        }
    }
}
