import Foundation
public import Tensor

extension OpCases {
    /// RMSNorm of rows.
    public static func rmsNorm(rows: Int, width: Int, epsilon: Float = 1e-5) -> OpCase {
        OpCase(
            "rmsNorm", "\(rows) × \(width)",
            inputs: [.normal("x", [rows, width]), .normal("weight", [width], mean: 1, deviation: 0.3)],
            output: [rows, width], flops: 4 * rows * width,
            run: { $0[0].rmsNormalised(weight: $0[1], epsilon: epsilon) },
            naive: { Naive.rmsNorm($0[0], weight: $0[1], epsilon: Double(epsilon)) })
    }

    /// LayerNorm of rows.
    public static func layerNorm(rows: Int, width: Int, mean: Float = 0.5, epsilon: Float = 1e-5) -> OpCase {
        OpCase(
            "layerNorm", "\(rows) × \(width), mean \(mean)",
            inputs: [
                .normal("x", [rows, width], mean: mean), .normal("weight", [width], mean: 1, deviation: 0.3),
                .normal("bias", [width]),
            ], output: [rows, width], flops: 7 * rows * width,
            run: { $0[0].layerNormalised(weight: $0[1], bias: $0[2], epsilon: epsilon) },
            naive: { Naive.layerNorm($0[0], weight: $0[1], bias: $0[2], epsilon: Double(epsilon)) })
    }

    /// Rotary positions of the heads of every row.
    /// - Parameter turned: how many of a head's channels are turned, from the first; nil for all.
    public static func rotary(
        positions: [Int32], heads: Int, dim width: Int, turned: Int? = nil, pairs: RotaryPairs = .halves
    ) -> OpCase {
        let dim = turned ?? width
        let known = Int(positions.max() ?? 0) + 1
        let angles = (0..<known).map { position in
            (0..<dim / 2).map { Double(position) * pow(10_000, -2 * Double($0) / Double(dim)) }
        }
        let cosines = angles.flatMap { $0.map { Float(cos($0)) } }
        let sines = angles.flatMap { $0.map { Float(sin($0)) } }
        return OpCase(
            "rotary", "\(positions.count) rows, \(heads) heads of \(width), \(dim) turned in \(pairs)",
            inputs: [.normal("x", [positions.count, heads * width])], output: [positions.count, heads * width],
            flops: 3 * positions.count * heads * dim,
            run: {
                $0[0].rotated(
                    heads: heads, positions: positions,
                    table: RotaryTable(
                        cosines: Tensor(cosines, shape: [known, dim / 2]), sines: Tensor(sines, shape: [known, dim / 2])), pairs: pairs)
            },
            naive: { Naive.rotate($0[0], heads: heads, dim: width, turned: dim, pairs: pairs, positions: positions, angles: angles) })
    }

    /// The softmax of rows.
    public static func softmax(rows: Int, width: Int, deviation: Float = 3) -> OpCase {
        OpCase(
            "softmax", "\(rows) × \(width), deviation \(deviation)",
            inputs: [.normal("x", [rows, width], deviation: deviation)], output: [rows, width], flops: 12 * rows * width,
            run: { $0[0].softmax() }, naive: { Naive.softmax($0[0], width: width) })
    }

    static var normalisations: [OpCase] {
        // the last shape has more rows than one chunk of summed weight gradients
        let shapes = [(0, 7), (1, 1), (3, 7), (2, 16), (5, 17), (4, 33), (3, 100), (1_100, 33)]
        return shapes.flatMap { [rmsNorm(rows: $0.0, width: $0.1), softmax(rows: $0.0, width: $0.1)] }
            // the variance of one number is 0: no slope can be measured there
            + shapes.filter { $0.1 > 1 }.map { layerNorm(rows: $0.0, width: $0.1) }
            // 1e-3 of the mean's digits are lost before the first operation
            + [layerNorm(rows: 3, width: 33, mean: 50).with(relative: 1e-4, absolute: 2e-5), softmax(rows: 3, width: 33, deviation: 40)]
            + [
                rotary(positions: [0, 1, 2, 3, 4], heads: 2, dim: 8), rotary(positions: [7, 120, 3], heads: 3, dim: 20),
                rotary(positions: [5], heads: 1, dim: 64), rotary(positions: [], heads: 2, dim: 4),
                rotary(positions: [5, 60, 2], heads: 3, dim: 20, turned: 10),
                rotary(positions: [5, 9, 200], heads: 2, dim: 80, turned: 34),
                rotary(positions: [7, 1, 90], heads: 2, dim: 20, pairs: .neighbours),
                rotary(positions: [4, 33], heads: 3, dim: 64, turned: 16, pairs: .neighbours),
                rotary(positions: [1, 1, 300], heads: 2, dim: 2), rotary(positions: (0..<33).map { $0 * 3 }, heads: 12, dim: 80),
            ]
    }
}
