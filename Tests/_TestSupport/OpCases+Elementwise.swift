import Foundation
public import Tensor

extension OpCases {
    /// A function of two tensors, element by element.
    public static func binary(
        _ name: String, _ count: Int, _ run: @escaping @Sendable (Tensor, Tensor) -> Tensor,
        _ naive: @escaping @Sendable (Double, Double) -> Double, operation: String = "binary", flops: Int = 1
    ) -> OpCase {
        OpCase(
            operation, "\(name) of \(count)", inputs: [.normal("a", [count]), .normal("b", [count])], output: [count],
            flops: count * flops, run: { run($0[0], $0[1]) }, naive: { x in x[0].indices.map { naive(x[0][$0], x[1][$0]) } })
    }

    /// A function of one tensor, element by element.
    public static func unary(
        _ name: String, _ count: Int, _ run: @escaping @Sendable (Tensor) -> Tensor,
        _ naive: @escaping @Sendable (Double) -> Double, operation: String = "unary", flops: Int = 10
    ) -> OpCase {
        OpCase(
            operation, "\(name) of \(count)", inputs: [.normal("x", [count], deviation: 2)], output: [count],
            flops: count * flops, run: { run($0[0]) }, naive: { x in x[0].map(naive) })
    }

    /// silu(gate) · up.
    public static func swiglu(rows: Int, width: Int) -> OpCase {
        OpCase(
            "gated", "silu, \(rows) × \(width)",
            inputs: [.normal("gate", [rows, width], deviation: 2), .normal("up", [rows, width])], output: [rows, width],
            flops: rows * width * 12, run: { $0[0].swiglu(up: $0[1]) },
            naive: { x in x[0].indices.map { x[0][$0] / (1 + exp(-x[0][$0])) * x[1][$0] } })
    }

    /// gelu(gate) · up, with the tanh approximation.
    public static func geglu(rows: Int, width: Int) -> OpCase {
        OpCase(
            "gated", "tanh gelu, \(rows) × \(width)",
            inputs: [.normal("gate", [rows, width], deviation: 2), .normal("up", [rows, width])], output: [rows, width],
            flops: rows * width * 14, run: { $0[0].gated(.geluTanh, up: $0[1]) },
            naive: { x in zip(x[0], x[1]).map { tanhGELU($0) * $1 } })
    }

    private static func tanhGELU(_ x: Double) -> Double {
        0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    /// Dropout of a matrix.
    public static func dropout(rows: Int, width: Int, rate: Double) -> OpCase {
        let mask = DropoutMask(rate: rate, random: Philox(seed: 5).split("mask"))
        return OpCase(
            "dropout", "\(rate) of \(rows) × \(width)", inputs: [.normal("x", [rows, width])], output: [rows, width],
            flops: rows * width, run: { $0[0].dropped(mask) },
            naive: { x in
                (0..<rows).flatMap { Naive.dropped(Array(x[0][$0 * width..<($0 + 1) * width]), mask, row: $0) }
            })
    }

    static var dropouts: [OpCase] {
        [(0, 5), (1, 1), (3, 7), (5, 16), (2, 33), (700, 101)].map { dropout(rows: $0.0, width: $0.1, rate: 0.1) }
            + [dropout(rows: 9, width: 20, rate: 0.75), dropout(rows: 3, width: 4, rate: 0)]
    }

    static var elementwise: [OpCase] {
        (widths + [manyNumbers]).flatMap { count in
            [
                binary("a + b", count, { $0 + $1 }, { $0 + $1 }),
                binary("a - b", count, { $0 - $1 }, { $0 - $1 }),
                binary("a * b", count, { $0 * $1 }, { $0 * $1 }),
                binary("minimum", count, { .minimum($0, $1) }, { min($0, $1) }),
                binary("maximum", count, { .maximum($0, $1) }, { max($0, $1) }),
                unary("scaled", count, { -1.5 * $0 }, { -1.5 * $0 }, operation: "scale", flops: 1),
                unary("negated", count, { -$0 }, { -$0 }, operation: "scale", flops: 1),
                unary("exponential", count, { $0.exponentiated() }, { exp($0) }),
                unary("square", count, { $0.squared() }, { $0 * $0 }, flops: 1),
                unary("tanh", count, { $0.tanh() }, { Foundation.tanh($0) }),
                unary("relu", count, { $0.relu() }, { max($0, 0) }, flops: 1),
                unary("gelu", count, { $0.gelu() }, { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }),
                unary("tanh gelu", count, { $0.geluTanh() }, { tanhGELU($0) }),
                unary("quick gelu", count, { $0.quickGELU() }, { $0 / (1 + exp(-1.702 * $0)) }),
                unary("silu", count, { $0.silu() }, { $0 / (1 + exp(-$0)) }),
                unary("log sigmoid", count, { $0.logSigmoid() }, { -log(1 + exp(-$0)) }),
                unary("clamp", count, { $0.clamped(to: -0.75...1.25) }, { min(max($0, -0.75), 1.25) }, flops: 1),
                swiglu(rows: 1, width: count), geglu(rows: 1, width: count),
            ]
        } + [swiglu(rows: 7, width: 33), swiglu(rows: 0, width: 5), geglu(rows: 7, width: 33)]
    }

    static var reductions: [OpCase] {
        (widths + [manyNumbers]).map { count in
            OpCase(
                "sum", "sum of \(count)", inputs: [.normal("x", [count], mean: 0.5)], output: [], flops: count,
                run: { $0[0].sum() }, naive: { [$0[0].reduce(0, +)] })
        } + [
            OpCase(
                "sum", "mean", inputs: [.normal("x", [7, 33], mean: 0.5)], output: [], flops: 7 * 33,
                run: { $0[0].mean() }, naive: { [$0[0].reduce(0, +) / (7 * 33)] })
        ]
    }
}
