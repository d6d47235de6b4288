import Tensor
import Testing
import _TestSupport

/// Attention in bf16 precision. The inputs are bfloat16 numbers, so that the one error left in the forward pass is that of the rounded
/// weights, a relative 2⁻⁹ at most. On processors without instructions for bfloat16 the same attention is computed in 32-bit floats,
/// and is within the same tolerance.
@Suite struct RoundedAttentionTests {
    private static func random(_ name: String, _ shape: Shape, deviation: Float = 1) -> Tensor {
        Tensor(OpCase.Input.normal(name, shape, deviation: deviation).values.map(Naive.roundedToBFloat16), shape: shape)
    }

    private static func inBFloat16<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$precision.withValue(.bf16, operation: body)
    }

    private static var hasInstructions: Bool { Kernels.current.pointee.attention_bf16 != nil }

    /// Sizes around blocks of 48 and 64 and around tiles of 256 and 512, in heads of all kinds of widths.
    private static let sizes: [OpCase] =
        [16, 17, 24, 64, 80, 128, 200].map {
            OpCases.attention(lengths: [47, 1, 49, 63, 64, 65, 5, 130], heads: 2, keyHeads: 1, dim: $0)
        } + [
            OpCases.attention(lengths: [255, 257], heads: 1, keyHeads: 1, dim: 16),
            OpCases.attention(lengths: [601], heads: 2, keyHeads: 1, dim: 24),
            OpCases.attention(lengths: [600, 70], lastQueries: 33, heads: 2, keyHeads: 2, dim: 64),
            OpCases.attention(prompt: 77, continuations: [3, 66, 520], promptAsks: true, heads: 2, keyHeads: 1, dim: 32),
            OpCases.bidirectional(lengths: [5, 64, 300, 7], heads: 2, keyHeads: 2, dim: 32),
        ]

    private static let scored: [OpCase] = [
        ("window 1", AttentionScores(window: 1)), ("window 60", AttentionScores(window: 60)), ("window 300", AttentionScores(window: 300)),
        ("cap, window 70", AttentionScores(window: 70, cap: 2)), ("cap", AttentionScores(scale: 0.4, cap: 1.5)),
        ("slopes", AttentionScores(slopes: [0.5, 0.0625])), ("slopes, window 7", AttentionScores(window: 7, slopes: [0.25, 1])),
    ].flatMap { name, scores in
        [nil, DropoutMask(rate: 0.25, random: Philox(seed: 7))].map { dropout in
            OpCases.attention(
                dropout == nil ? name : "\(name), dropout",
                AttentionLayout([
                    .init(queries: 0..<75, keyBegin: 0, firstKey: 0), .init(queries: 75..<79, keyBegin: 75, firstKey: 75, prefix: 0..<75),
                    .init(queries: 79..<149, keyBegin: 79, firstKey: 79, prefix: 0..<75),
                    .init(queries: 149..<740, keyBegin: 149, firstKey: 149),
                ]), queries: 740, keys: 740, heads: 2, keyHeads: 1, dim: 24, scores: scores, dropout: dropout)
        }
    }

    @Test("weights of rounded numbers", arguments: OpCases.all.filter { $0.operation == "attention" } + sizes + scored)
    func values(_ attention: OpCase) {
        let tensors = attention.inputs.map { Tensor($0.values.map(Naive.roundedToBFloat16), shape: $0.shape) }
        let expected = attention.naive(tensors.map { $0.values.map(Double.init) })
        // weights add up to 1, except that dropout with a rate of a half doubles those that are left
        let greatest = tensors[2].values.reduce(0) { max($0, abs(Double($1))) } * (attention.name.contains("dropout") ? 2 : 1)
        var single: [Float] = []
        onEveryBuild { label, threads in
            let result = Self.inBFloat16 { attention.run(tensors) }
            expectClose(result.values, expected, relative: 1e-4, absolute: 0x1p-9 * greatest + 1e-6, label: label)
            if threads == 1 { single = result.values }
            #expect(result.values == single, "\(label)")
        }
    }

    /// Gradients of 32-bit floats, which are those of the definition, against gradients with rounded factors. An element is a sum of
    /// many products whose errors cancel in part, so that the norm is compared. The gradients of queries and keys vanish where a query
    /// sees a single key ("window 1"): the scale is that of the greatest gradient.
    @Test("gradients", arguments: sizes + scored)
    func gradients(_ attention: OpCase) {
        let tensors = attention.inputs.map { Tensor($0.values.map(Naive.roundedToBFloat16), shape: $0.shape) }
        let upstream = Self.random("upstream", attention.outputShape)
        func run(_ precision: Compute.Precision) -> [Tensor] {
            Compute.$precision.withValue(precision) {
                let tape = Tape()
                let inputs = tensors.map(tape.variable)
                return tape.backward(from: [(attention.run(inputs), upstream)], variables: inputs)
            }
        }
        var single: [[Float]] = []
        onEveryBuild { label, threads in
            let (exact, rounded) = (run(.f32), run(.bf16))
            let scale = exact.map { $0.sumOfSquares().squareRoot() }.max() ?? 0
            for (index, name) in ["dq", "dk", "dv"].enumerated() {
                let error = (rounded[index] - exact[index]).sumOfSquares().squareRoot()
                #expect(error <= 0.01 * scale, "\(name), \(label): \(error) of \(scale)")
                if Self.hasInstructions && !attention.name.hasPrefix("window 1") {
                    #expect(rounded[index].values != exact[index].values, "\(name), \(label): not rounded")
                }
            }
            if threads == 1 { single = rounded.map(\.values) }
            #expect(rounded.map(\.values) == single, "\(label)")
        }
    }

    /// Packed sequences with 5 and more queries are rounded wherever they are; those with fewer nowhere.
    @Test("a sequence alone and in a batch has the same bits", arguments: [16, 24, 64]) func alone(dim: Int) {
        let (lengths, heads) = ([5, 49, 1, 64, 130, 17], 2)
        let total = lengths.reduce(0, +)
        let (q, k, v) = (
            Self.random("q", [total, heads * dim]), Self.random("k", [total, heads * dim]), Self.random("v", [total, heads * dim])
        )
        onEveryBuild { label, _ in
            Self.inBFloat16 { AttentionTests.expectSameAlone(q, k, v, lengths: lengths, heads: heads, label) }
        }
    }

    /// Blocks of queries begin elsewhere, so that weights are rounded relative to another maximum: two roundings of 2⁻⁹.
    @Test("a text in two parts is near the whole text", arguments: [3, 48, 60, 64, 100]) func parts(first: Int) {
        let (length, dim, heads, keyHeads) = (650, 32, 4, 2)
        let q = Self.random("q", [length, heads * dim])
        let (k, v) = (Self.random("k", [length, keyHeads * dim]), Self.random("v", [length, keyHeads * dim]))
        func attend(_ layout: AttentionLayout) -> Tensor {
            Self.inBFloat16 { q.attending(keys: k, values: v, layout: layout, heads: heads, keyHeads: keyHeads) }
        }
        let start = AttentionLayout.Segment(queries: 0..<first, keyBegin: 0, firstKey: 0)
        let greatest = v.values.reduce(0) { max($0, abs(Double($1))) }
        onEveryBuild { label, _ in
            let whole = attend(AttentionLayout(lengths: [length]))
            let cached = attend(AttentionLayout([start, .init(queries: first..<length, keyBegin: 0, firstKey: first)]))
            let prefixed = attend(
                AttentionLayout([start, .init(queries: first..<length, keyBegin: first, firstKey: first, prefix: 0..<first)]))
            for (parts, name) in [(cached, "cached"), (prefixed, "prefix")] {
                expectClose(parts, whole, relative: 0, absolute: 0x1p-8 * greatest, label: "\(name), \(label)")
            }
        }
    }

    /// The maximum of a query grows from tile to tile by far, and then does not grow: all that was summed before is corrected, or stays.
    @Test("scores that grow, and scores that fall", arguments: [false, true]) func corrections(falls: Bool) {
        let (length, dim) = (1_100, 16)
        let q = Tensor.filled(1, [length, dim])
        let levels = (0..<length).map { Float(falls ? length - $0 : $0) / 64 }
        let k = Tensor(levels.flatMap { Array(repeating: Naive.roundedToBFloat16($0), count: dim) }, shape: [length, dim])
        let v = Self.random("v", [length, dim])
        let layout = AttentionLayout(lengths: [length])
        onEveryBuild { label, _ in
            let exact = q.attending(keys: k, values: v, layout: layout, heads: 1, keyHeads: 1)
            let rounded = Self.inBFloat16 { q.attending(keys: k, values: v, layout: layout, heads: 1, keyHeads: 1) }
            expectClose(rounded, exact, relative: 0, absolute: 0x1p-9 * 5, label: label)
        }
    }

    @Test func theBackwardPassDecidesAsTheForwardPass() {
        let inputs = ["q", "k", "v"].map { Self.random($0, [70, 64]) }
        let upstream = Self.random("upstream", [70, 64])
        func run(forward: Compute.Precision, backward: Compute.Precision) -> [[Float]] {
            let tape = Tape()
            let variables = inputs.map(tape.variable)
            let out = Compute.$precision.withValue(forward) {
                variables[0].attending(
                    keys: variables[1], values: variables[2], layout: AttentionLayout(lengths: [70]), heads: 2, keyHeads: 2)
            }
            return Compute.$precision.withValue(backward) {
                tape.backward(from: [(out, upstream)], variables: variables).map(\.values)
            }
        }
        for forward in Compute.Precision.allCases {
            #expect(run(forward: forward, backward: .f32) == run(forward: forward, backward: .bf16), "\(forward)")
        }
    }

    @Test func aNaNStaysInItsRow() {
        var q = Self.random("q", [90, 32])
        let (k, v) = (Self.random("k", [90, 32]), Self.random("v", [90, 32]))
        q.update { $0[70 * 32 + 5] = .nan }
        onEveryBuild { label, _ in
            let out = Self.inBFloat16 {
                q.attending(keys: k, values: v, layout: AttentionLayout(lengths: [90]), heads: 1, keyHeads: 1).values
            }
            for row in 0..<90 {
                #expect(out[row * 32..<(row + 1) * 32].allSatisfy { $0.isNaN == (row == 70) }, "\(label), row \(row)")
            }
        }
    }

    /// Relative keys and queries are not rounded; neighbourhoods and biases of distances are no obstacle.
    @Test func encoders() {
        let (heads, dim, lengths) = (2, 32, [5, 64, 131])
        let (rows, reach) = (lengths.reduce(0, +), 130)
        let inputs = Self.random("rows", [rows, 3 * heads * dim])
        let bias = Self.random("bias", [heads, 2 * reach + 1])
        let keys = Self.random("keys", [2 * reach + 1, heads * dim])
        let layout = AttentionLayout(lengths: lengths, isCausal: false)
        let greatest = inputs.values.reduce(0) { max($0, abs(Double($1))) }
        let kinds: [(AttentionScores, RelativePositions?)] = [
            (AttentionScores(), nil), (AttentionScores(neighbourhood: 9), nil),
            (AttentionScores(), RelativePositions(reach: reach, bias: bias)),
        ]
        func attend(_ scores: AttentionScores, _ relative: RelativePositions?) -> [Float] {
            inputs.attendingWithin(layout: layout, heads: heads, scores: scores, relative: relative).values
        }
        onEveryBuild { label, _ in
            for (scores, relative) in kinds {
                let (exact, rounded) = (attend(scores, relative), Self.inBFloat16 { attend(scores, relative) })
                expectClose(rounded, exact, relative: 0, absolute: 0x1p-9 * greatest + 1e-5, label: label)
                if Self.hasInstructions { #expect(rounded != exact, "\(label): not rounded") }
            }
            let relative = RelativePositions(reach: reach, keys: keys)
            #expect(attend(AttentionScores(), relative) == Self.inBFloat16 { attend(AttentionScores(), relative) }, "\(label)")
        }
    }

    @Test("heads with fewer than 16 channels and segments with few queries are not rounded") func notRounded() {
        let layout = AttentionLayout([.init(queries: 0..<60, keyBegin: 0, firstKey: 0), .init(queries: 60..<64, keyBegin: 0, firstKey: 56)])
        for (dim, rows) in [(8, 0..<64), (12, 0..<64), (64, 60..<64)] {
            let (q, k, v) = (Self.random("q", [64, dim]), Self.random("k", [64, dim]), Self.random("v", [64, dim]))
            func attend() -> [Float] { q.attending(keys: k, values: v, layout: layout, heads: 1, keyHeads: 1).rows(rows).values }
            onEveryBuild { label, _ in #expect(Self.inBFloat16(attend) == attend(), "\(label), \(dim) channels") }
        }
    }
}
