public import Tensor

extension OpCases {
    /// The given rows of a matrix.
    public static func selectRows(_ rows: Int, width: Int, indices: [Int]) -> OpCase {
        OpCase(
            "selectRows", "\(indices.count) of \(rows) × \(width)", inputs: [.normal("x", [rows, width])],
            output: [indices.count, width], flops: 0, run: { $0[0].rows(indices) },
            naive: { x in indices.flatMap { x[0][$0 * width..<($0 + 1) * width] } })
    }

    /// The rows of a table for token ids.
    public static func embedding(vocabulary: Int, width: Int, ids: [Int32]) -> OpCase {
        OpCase(
            "embedding", "\(ids.count) of \(vocabulary) × \(width)", inputs: [.normal("table", [vocabulary, width])],
            output: [ids.count, width], flops: 0, run: { $0[0].embedding(of: ids) },
            naive: { x in ids.flatMap { x[0][Int($0) * width..<(Int($0) + 1) * width] } })
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
