import Foundation
import ShortFloats
import Tensor
import Testing
import _TestSupport

/// How long every operation takes at the shapes of a model of 100 M parameters: `make timings` prints the table. Nothing is asserted
/// about the times, and without `TIMINGS` in the environment nothing runs.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["TIMINGS"] != nil), .serialized) struct TimingTests {
    private static let rows = 2048
    private static let width = 768
    private static let inner = 2048
    private static let lengths = [481, 60, 257, 128, 384, 512, 226]

    private static let cases: [OpCase] = [
        OpCases.linear(rows: rows, inputs: width, outputs: width),
        OpCases.linear(rows: rows, inputs: width, outputs: inner),
        OpCases.linear(rows: 16, inputs: width, outputs: inner),
        OpCases.matmul(m: 512, n: 512, k: 512),
        OpCases.attention(lengths: lengths, heads: 12, keyHeads: 12, dim: 64),
        OpCases.attention(lengths: lengths, heads: 12, keyHeads: 12, dim: 24),
        OpCases.rmsNorm(rows: rows, width: width),
        OpCases.layerNorm(rows: rows, width: width),
        OpCases.rotary(positions: Array(0..<Int32(rows)), heads: 12, dim: 64),
        OpCases.swiglu(rows: rows, width: inner),
        OpCases.softmax(rows: rows, width: 512),
        OpCases.embedding(vocabulary: 32000, width: width, ids: (0..<Int32(rows)).map { $0 * 13 % 32000 }),
        OpCases.crossEntropy(rows: 512, width: width, vocabulary: 32000),
    ]

    @Test func table() {
        print("operation, ms forward, GFLOP/s, GB/s, ms forward and backward")
        for operation in Self.cases {
            let tensors = operation.inputs.map(\.tensor)
            let forward = milliseconds { _ = operation.run(tensors) }
            let upstream = Tensor.filled(1, operation.outputShape)
            let both = milliseconds {
                let tape = Tape()
                let variables = tensors.map { tape.variable($0) }
                _ = tape.backward(from: [(operation.run(variables), upstream)], variables: variables)
            }
            print(
                "\(operation.testDescription), "
                    + String(
                        format: "%.3f, %.1f, %.1f, %.3f", forward, Double(operation.flops) / forward / 1e6,
                        Double(operation.bytes) / forward / 1e6, both))
        }
    }

    /// Products with one weight as it is stored and rounded, for few rows and many.
    @Test func weights() throws {
        let (inputs, outputs) = (Self.width, Self.inner)
        let wide = OpCase.Input.normal("weight", [outputs, inputs]).tensor
        let bits = wide.values.map { FloatConversion.narrowToBFloat16($0) }
        let narrow = Tensor(
            shape: wide.shape,
            narrow: NarrowElements(count: bits.count) {
                for index in bits.indices { $0[index] = bits[index].littleEndian }
            })
        let blocks = try Tensor(shape: wide.shape, narrow: .rounding(wide.storage, count: wide.count, to: .q8))
        print("rows, weight, product, ms x Wᵀ, ms with the gradient of x")
        for rows in [1, 16, 64, 512, Self.rows] {
            let x = OpCase.Input.normal("x", [rows, inputs]).tensor
            let upstream = Tensor.filled(1, [rows, outputs])
            for (stored, weight) in [("f32", wide), ("bf16", narrow), ("q8", blocks)] {
                for precision in Compute.Precision.allCases {
                    Compute.$precision.withValue(precision) {
                        let forward = milliseconds { _ = x.linear(weight) }
                        let both = milliseconds {
                            let tape = Tape()
                            let x = tape.variable(x)
                            _ = tape.backward(from: [(x.linear(weight), upstream)], variables: [x])
                        }
                        print(
                            "\(rows), \(stored), \(precision), " + String(format: "%.3f, %.3f", forward, both))
                    }
                }
            }
            for precision in Compute.Precision.allCases {
                let layer = FusedLinear([(wide, nil)], precision: precision)
                print(
                    "\(rows), packed, \(precision), "
                        + String(format: "%.3f", milliseconds { _ = layer(x, then: .gelu) }))
            }
        }
    }

    /// The median of several calls.
    private func milliseconds(_ body: () -> Void) -> Double {
        body()
        let times = (0..<7).map { _ in
            let start = ContinuousClock.now
            body()
            return (ContinuousClock.now - start) / .milliseconds(1)
        }
        return times.sorted()[3]
    }
}
