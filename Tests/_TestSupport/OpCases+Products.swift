import Tensor

extension OpCases {
    /// x[rows, inputs] · W[outputs, inputs]ᵀ + b.
    public static func linear(rows: Int, inputs: Int, outputs: Int, bias: Bool = false) -> OpCase {
        let biases: [OpCase.Input] = bias ? [.normal("bias", [outputs])] : []
        return OpCase(
            "linear", "\(rows) rows, \(inputs) → \(outputs)\(bias ? ", bias" : "")",
            inputs: [.normal("x", [rows, inputs]), .normal("weight", [outputs, inputs])] + biases, output: [rows, outputs],
            flops: 2 * rows * inputs * outputs, run: { $0[0].linear($0[1], bias: bias ? $0[2] : nil) },
            naive: {
                Naive.linear(
                    $0[0], rows: rows, inputs: inputs, weight: $0[1], outputs: outputs, bias: bias ? $0[2] : nil)
            })
    }

    /// x[rows, inputs] · W[outputs, inputs]ᵀ + sum[rows, outputs].
    public static func linearSum(rows: Int, inputs: Int, outputs: Int) -> OpCase {
        OpCase(
            "linearSum", "\(rows) rows, \(inputs) → \(outputs)",
            inputs: [.normal("x", [rows, inputs]), .normal("weight", [outputs, inputs]), .normal("sum", [rows, outputs])],
            output: [rows, outputs], flops: 2 * rows * inputs * outputs, run: { $0[0].linear($0[1], addedTo: $0[2]) },
            naive: {
                zip(Naive.linear($0[0], rows: rows, inputs: inputs, weight: $0[1], outputs: outputs, bias: nil), $0[2]).map { $0 + $1 }
            })
    }

    /// Layers with the same x, [rows, inputs], and outputs of the given widths side by side. Every second layer has a bias.
    /// - Parameter used: the number of the only layer whose output is used; nil for all.
    static func linearGroup(rows: Int, inputs: Int, widths: [Int], used: Int? = nil) -> OpCase {
        let weights = widths.enumerated().map { OpCase.Input.normal("weight \($0.offset)", [$0.element, inputs]) }
        let biases = widths.enumerated().filter { $0.offset % 2 == 1 }.map { OpCase.Input.normal("bias \($0.offset)", [$0.element]) }
        let count = widths.count
        let output = used.map { widths[$0] } ?? widths.reduce(0, +)
        return OpCase(
            used == nil ? "linearGroup" : "linearMember", "\(rows) rows, \(inputs) → \(widths)\(used.map { ", layer \($0)" } ?? "")",
            inputs: [.normal("x", [rows, inputs])] + weights + biases, output: [rows, output],
            flops: 2 * rows * inputs * widths.reduce(0, +),
            run: { tensors in
                let layers = (0..<count).map { LinearLayer(tensors[1 + $0], bias: $0 % 2 == 1 ? tensors[1 + count + $0 / 2] : nil) }
                let results = tensors[0].linear(layers)
                return used.map { results[$0] } ?? .joined(results)
            },
            naive: { x in
                let results = (0..<count).map {
                    Naive.linear(
                        x[0], rows: rows, inputs: inputs, weight: x[1 + $0], outputs: widths[$0],
                        bias: $0 % 2 == 1 ? x[1 + count + $0 / 2] : nil)
                }
                if let used { return results[used] }
                return (0..<rows).flatMap { row in zip(results, widths).flatMap { $0[row * $1..<(row + 1) * $1] } }
            })
    }

    /// A[m, k] · B[k, n], each stored transposed where asked.
    public static func matmul(m: Int, n: Int, k: Int, transposed: Bool = false, otherTransposed: Bool = false) -> OpCase {
        OpCase(
            "matmul", "\(m) × \(k)\(transposed ? "ᵀ" : "") · \(k) × \(n)\(otherTransposed ? "ᵀ" : "")",
            inputs: [
                .normal("a", transposed ? [k, m] : [m, k]), .normal("b", otherTransposed ? [n, k] : [k, n]),
            ], output: [m, n], flops: 2 * m * n * k,
            run: { $0[0].matmul($0[1], transposed: transposed, otherTransposed: otherTransposed) },
            naive: {
                Naive.matmul(
                    $0[0], $0[1], m: m, n: n, k: k, transposed: transposed, otherTransposed: otherTransposed)
            })
    }

    static var products: [OpCase] {
        let shapes = [
            // few rows, our kernel: whole and broken tiles of rows, of columns and of depth
            (1, 1, 1), (1, 16, 4), (1, 100, 33), (2, 7, 16), (3, 17, 17), (4, 16, 16), (4, 64, 8), (5, 33, 100), (7, 100, 1),
            (16, 100, 33), (17, 100, 100), (47, 33, 7),
            // many rows, BLAS; the last ones on two threads, cut by rows and by columns
            (48, 1, 1), (48, 17, 33), (49, 16, 7), (100, 100, 33), (64, 48, 200),
            // no rows, no inputs, no outputs
            (0, 7, 5), (3, 0, 5), (50, 0, 5), (3, 5, 0), (50, 5, 0),
        ]
        let linears = shapes.flatMap { shape in
            [false, true].map { linear(rows: shape.0, inputs: shape.1, outputs: shape.2, bias: $0) }
        }
        let matmuls = [(1, 1, 1), (7, 16, 17), (33, 7, 100), (100, 33, 100), (0, 3, 4), (3, 0, 4), (3, 4, 0)].flatMap { shape in
            [(false, false), (false, true), (true, false), (true, true)].map {
                matmul(m: shape.0, n: shape.1, k: shape.2, transposed: $0.0, otherTransposed: $0.1)
            }
        }
        let sums = [(1, 4, 4), (47, 33, 7), (48, 17, 33), (100, 33, 100), (0, 7, 5), (50, 0, 5)].map {
            linearSum(rows: $0.0, inputs: $0.1, outputs: $0.2)
        }
        let groups = [(1, 7, [5, 70, 3]), (4, 33, [1, 20]), (50, 40, [70, 1, 17]), (0, 5, [3, 2])].flatMap { shape in
            [nil, 1].map { linearGroup(rows: shape.0, inputs: shape.1, widths: shape.2, used: $0) }
        }
        return linears + matmuls + sums + groups
    }
}
