import Foundation
import Tensor
import Testing
import _TestSupport

/// Attention of encoders with neighbourhoods, biases of distances and disentangled positions, against the definition written as loops.
@Suite struct RelativeAttentionTests {
    private struct Inputs {
        let lengths: [Int]
        let heads: Int
        let dim: Int
        var scores = AttentionScores()
        var relative: RelativePositions?
        var width: Int { heads * dim }

        func random(_ rows: Int, _ columns: Int, _ name: String) -> Tensor { OpCase.Input.normal(name, [rows, columns]).tensor }

        /// Softmax over the scores of every key that a query sees, one number at a time in doubles.
        func expected(_ rows: [Float]) -> [Float] {
            var out = [Float](repeating: 0, count: lengths.reduce(0, +) * width)
            var first = 0
            func dot(_ a: [Float], _ i: Int, _ b: [Float], _ j: Int) -> Double {
                (0..<dim).reduce(0) { $0 + Double(a[i + $1]) * Double(b[j + $1]) }
            }
            let (bias, keys, queries) = (relative?.bias?.values, relative?.keys?.values, relative?.queries?.values)
            let reach = relative?.reach ?? 0
            for length in lengths {
                for (query, head) in (0..<length).flatMap({ query in (0..<heads).map { (query, $0) } }) {
                    let q = (first + query) * 3 * width + head * dim
                    let seen = (0..<length).filter { scores.neighbourhood.map { [n = abs($0 - query)] in n < $0 } ?? true }
                    let logits = seen.map { key -> Double in
                        let (k, place) = ((first + key) * 3 * width + width + head * dim, reach + key - query)
                        var product = dot(rows, q, rows, k)
                        if let keys { product += dot(rows, q, keys, place * width + head * dim) }
                        if let queries { product += dot(rows, k, queries, place * width + head * dim) }
                        let scaled = product * Double(scores.scale ?? 1 / Float(dim).squareRoot())
                        return scaled + (bias.map { Double($0[head * (2 * reach + 1) + place]) } ?? 0)
                    }
                    let peak = logits.max() ?? 0
                    let powers = logits.map { exp($0 - peak) }
                    let sum = powers.reduce(0, +)
                    for c in 0..<dim {
                        let mixed = zip(seen, powers).reduce(0) {
                            $0 + $1.1 * Double(rows[(first + $1.0) * 3 * width + 2 * width + head * dim + c])
                        }
                        out[(first + query) * width + head * dim + c] = Float(mixed / sum)
                    }
                }
                first += length
            }
            return out
        }
    }

    /// From a single token over the block of 48 queries and its neighbours to several blocks.
    private static let lengths = [1, 2, 4, 5, 17, 47, 48, 49, 96, 131]

    private func check(_ inputs: Inputs, _ label: String) {
        let rows = inputs.random(inputs.lengths.reduce(0, +), 3 * inputs.width, "rows")
        let expected = inputs.expected(rows.values)
        onEveryBuild { build, _ in
            let actual = rows.attendingWithin(
                layout: AttentionLayout(lengths: inputs.lengths, isCausal: false), heads: inputs.heads, scores: inputs.scores,
                relative: inputs.relative)
            expectClose(actual.values, expected, relative: 1e-5, absolute: 2e-6, label: "\(label), \(build)")
        }
    }

    @Test("keys on both sides within a distance", arguments: [1, 2, 17, 65, 200]) func neighbourhood(_ most: Int) {
        check(Inputs(lengths: Self.lengths, heads: 2, dim: 12, scores: AttentionScores(neighbourhood: most)), "\(most)")
    }

    @Test("a bias of distances", arguments: [130, 150]) func bias(reach: Int) {
        var inputs = Inputs(lengths: Self.lengths, heads: 3, dim: 8)
        inputs.relative = RelativePositions(reach: reach, bias: inputs.random(3, 2 * reach + 1, "bias"))
        check(inputs, "bias")
    }

    @Test("keys and queries of distances", arguments: [(true, true), (true, false), (false, true)], [4, 16, 20])
    func disentangled(has: (keys: Bool, queries: Bool), dim: Int) {
        let reach = 133
        var inputs = Inputs(lengths: Self.lengths, heads: 2, dim: dim, scores: AttentionScores(scale: 1 / Float(3 * dim).squareRoot()))
        func table(_ name: String) -> Tensor { inputs.random(2 * reach + 1, 2 * dim, name) }
        inputs.relative = RelativePositions(
            reach: reach, keys: has.keys ? table("keys") : nil, queries: has.queries ? table("queries") : nil)
        check(inputs, "\(has)")
    }

    /// The gradient of a window on both sides: by differences, as for all operations.
    @Test func gradientOfNeighbourhood() {
        let (lengths, heads, dim) = ([3, 51], 2, 4)
        let layout = AttentionLayout(lengths: lengths, isCausal: false)
        let inputs = ["q", "k", "v"].map { OpCase.Input.normal($0, [54, heads * dim]).tensor }
        let weights = OpCase.Input.normal("w", [54, heads * dim]).tensor
        func loss(_ x: [Tensor]) -> Double {
            let out = x[0].attending(
                keys: x[1], values: x[2], layout: layout, heads: heads, keyHeads: heads, scores: AttentionScores(neighbourhood: 4))
            return zip(out.values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let tape = Tape()
        let parameters = zip(["q", "k", "v"], inputs).map { Parameter($0, $1) }
        let on = parameters.map { $0.on(tape) }
        let out = on[0].attending(
            keys: on[1], values: on[2], layout: layout, heads: heads, keyHeads: heads, scores: AttentionScores(neighbourhood: 4))
        tape.backward(from: (out * weights).sum())
        for (index, parameter) in parameters.enumerated() {
            guard let gradient = parameter.gradient?.values else {
                Issue.record("no gradient")
                continue
            }
            for place in stride(from: 0, to: gradient.count, by: 37) {
                func moved(_ by: Float) -> Double {
                    var all = inputs
                    var numbers = inputs[index].values
                    numbers[place] += by
                    all[index] = Tensor(numbers, shape: inputs[index].shape)
                    return loss(all)
                }
                let slope = (moved(0.01) - moved(-0.01)) / 0.02
                #expect(abs(slope - Double(gradient[place])) < 2e-3, "\(parameter.name)[\(place)]: \(slope), \(gradient[place])")
            }
        }
    }
}
