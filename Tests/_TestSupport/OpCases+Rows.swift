import Tensor

extension OpCases {
    /// The given rows of a matrix.
    public static func selectRows(_ rows: Int, width: Int, indices: [Int]) -> OpCase {
        OpCase(
            "selectRows", "\(indices.count) of \(rows) × \(width)", inputs: [.normal("x", [rows, width])],
            output: [indices.count, width], flops: 0, run: { $0[0].rows(indices) },
            naive: { x in indices.flatMap { x[0][$0 * width..<($0 + 1) * width] } })
    }

    /// A range of the columns of a matrix.
    public static func selectColumns(_ rows: Int, width: Int, columns: Range<Int>) -> OpCase {
        OpCase(
            "selectColumns", "\(columns) of \(rows) × \(width)", inputs: [.normal("x", [rows, width])],
            output: [rows, columns.count], flops: 0, run: { $0[0].columns(columns) },
            naive: { x in
                (0..<rows).flatMap { row in columns.map { x[0][row * width + $0] } }
            })
    }

    /// Matrices side by side.
    public static func joinColumns(_ rows: Int, widths: [Int]) -> OpCase {
        OpCase(
            "joinColumns", "\(rows) rows of \(widths)",
            inputs: widths.enumerated().map { .normal("part \($0.offset)", [rows, $0.element]) }, output: [rows, widths.reduce(0, +)],
            flops: 0, run: { .joined($0) },
            naive: { x in
                (0..<rows).flatMap { row in zip(x, widths).flatMap { $0[row * $1..<(row + 1) * $1] } }
            })
    }

    /// The rows of a table for token ids.
    public static func embedding(vocabulary: Int, width: Int, ids: [Int32]) -> OpCase {
        OpCase(
            "embedding", "\(ids.count) of \(vocabulary) × \(width)", inputs: [.normal("table", [vocabulary, width])],
            output: [ids.count, width], flops: 0, run: { $0[0].embedding(of: ids) },
            naive: { x in ids.flatMap { x[0][Int($0) * width..<(Int($0) + 1) * width] } })
    }

    /// Every row of a matrix times one row, plus another.
    static func scaleColumns(_ rows: Int, width: Int, shifted: Bool) -> OpCase {
        let row: [OpCase.Input] = [.normal("scale", [width])] + (shifted ? [.normal("shift", [width])] : [])
        return OpCase(
            "scaleColumns", "\(rows) × \(width)\(shifted ? ", shifted" : "")", inputs: [.normal("x", [rows, width])] + row,
            output: [rows, width], flops: 2 * rows * width,
            run: { $0[0].columnsScaled(by: $0[1], shift: $0.count > 2 ? $0[2] : nil) },
            naive: { x in x[0].indices.map { x[0][$0] * x[1][$0 % width] + (x.count > 2 ? x[2][$0 % width] : 0) } })
    }

    static var scaledColumns: [OpCase] {
        [(0, 5), (1, 1), (3, 7), (5, 16), (2, 33), (300, 101)].flatMap { rows, width in
            [false, true].map { scaleColumns(rows, width: width, shifted: $0) }
        }
    }

    static var columns: [OpCase] {
        let overlapping = OpCase(
            "selectColumns", "two overlapping ranges of 6 × 9", inputs: [.normal("x", [6, 9])], output: [6, 5],
            flops: 30,
            run: { $0[0].columns(0..<5) + $0[0].columns(4..<9) },
            naive: { (x: [[Double]]) -> [Double] in
                (0..<30).map { place in
                    let first = place / 5 * 9 + place % 5
                    return x[0][first] + x[0][first + 4]
                }
            })
        return [
            selectColumns(5, width: 17, columns: 3..<11), selectColumns(3, width: 33, columns: 0..<33),
            selectColumns(4, width: 9, columns: 2..<2), selectColumns(0, width: 6, columns: 1..<4),
            selectColumns(700, width: 120, columns: 40..<120), overlapping, joinColumns(3, widths: [5, 1, 17]), joinColumns(2, widths: [4]),
        ]
    }

    static var rows: [OpCase] {
        [
            OpCase(
                "reshape", "[6, 4] as [2, 3, 4]", inputs: [.normal("x", [6, 4])], output: [2, 3, 4], flops: 0,
                run: { $0[0].reshaped([2, 3, 4]) }, naive: { $0[0] }),
            OpCase(
                "reshape", "[1] as a scalar", inputs: [.normal("x", [1])], output: [], flops: 0,
                run: { $0[0].reshaped([]) }, naive: { $0[0] }),
            OpCase(
                "reshape", "[0, 4] as [2, 0]", inputs: [.normal("x", [0, 4])], output: [2, 0], flops: 0,
                run: { $0[0].reshaped([2, 0]) }, naive: { $0[0] }),
            OpCase(
                "selectRows", "rows 2..<5", inputs: [.normal("x", [6, 7])], output: [3, 7], flops: 0,
                run: { $0[0].rows(2..<5) }, naive: { Array($0[0][14..<35]) }),
            selectRows(5, width: 17, indices: [4, 0, 0, 3, 0]), selectRows(5, width: 16, indices: []),
            selectRows(1, width: 1, indices: [0]), selectRows(100, width: 33, indices: (0..<100).reversed()),
            embedding(vocabulary: 7, width: 33, ids: [6, 0, 3, 3, 3, 1, 0]), embedding(vocabulary: 3, width: 100, ids: []),
            embedding(vocabulary: 1, width: 1, ids: [0, 0]), embedding(vocabulary: 100, width: 16, ids: Array(0..<100)),
        ]
    }
}
