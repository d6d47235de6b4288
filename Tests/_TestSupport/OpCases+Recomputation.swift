import Tensor

extension OpCases {
    /// A cube whose intermediate square is not kept: the backward pass makes it anew.
    public static func recomputed(_ count: Int) -> OpCase {
        OpCase(
            "recomputed", "cube of \(count)", inputs: [.normal("x", [count])], output: [count], flops: 2 * count,
            run: { inputs in
                func cube(_ x: Tensor) -> Tensor { x * x.squared() }
                guard let tape = inputs[0].node?.tape else { return cube(inputs[0]) }
                return inputs[0].recomputed(on: tape) { x, _ in cube(x) }
            },
            naive: { $0[0].map { $0 * $0 * $0 } })
    }

    static var recomputations: [OpCase] { widths.map(recomputed) }
}
