import Foundation
public import Tensor

/// The formulas of the operations in Double, one loop an index: the judge of every kernel, never the fast way.
public enum Naive {
    /// The nearest bfloat16 number of a finite number, ties to even.
    public static func roundedToBFloat16(_ x: Float) -> Float {
        Float(bitPattern: (x.bitPattern &+ 0x7FFF &+ (x.bitPattern >> 16 & 1)) & 0xFFFF_0000)
    }

    /// x[rows, inputs] · W[outputs, inputs]ᵀ + b.
    public static func linear(
        _ x: [Double], rows: Int, inputs: Int, weight: [Double], outputs: Int, bias: [Double]? = nil
    ) -> [Double] {
        var y = [Double](repeating: 0, count: rows * outputs)
        for i in 0..<rows {
            for j in 0..<outputs {
                var sum = bias?[j] ?? 0
                for p in 0..<inputs { sum += x[i * inputs + p] * weight[j * inputs + p] }
                y[i * outputs + j] = sum
            }
        }
        return y
    }

    /// A[m, k] · B[k, n], each stored transposed where asked.
    public static func matmul(
        _ a: [Double], _ b: [Double], m: Int, n: Int, k: Int, transposed: Bool, otherTransposed: Bool
    ) -> [Double] {
        var c = [Double](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                for p in 0..<k {
                    c[i * n + j] += (transposed ? a[p * m + i] : a[i * k + p]) * (otherTransposed ? b[j * k + p] : b[p * n + j])
                }
            }
        }
        return c
    }

    /// Calls `body` with every row of `width` numbers and puts the results one after the other.
    static func byRows(_ x: [Double], width: Int, _ body: ([Double]) -> [Double]) -> [Double] {
        width == 0 ? [] : stride(from: 0, to: x.count, by: width).flatMap { body(Array(x[$0..<$0 + width])) }
    }

    /// x / √(mean(x²) + ε) · weight.
    public static func rmsNorm(_ x: [Double], weight: [Double], epsilon: Double) -> [Double] {
        byRows(x, width: weight.count) { row in
            let inverse = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(row.count) + epsilon).squareRoot()
            return zip(row, weight).map { $0 * inverse * $1 }
        }
    }

    /// (x − mean) / √(variance + ε) · weight + bias.
    public static func layerNorm(_ x: [Double], weight: [Double], bias: [Double], epsilon: Double) -> [Double] {
        byRows(x, width: weight.count) { row in
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
            return row.indices.map { (row[$0] - mean) / (variance + epsilon).squareRoot() * weight[$0] + bias[$0] }
        }
    }

    /// Turns pairs of the first `turned` channels of every head by the angle of its position and frequency.
    public static func rotate(
        _ x: [Double], heads: Int, dim: Int, turned: Int, pairs: RotaryPairs, positions: [Int32], angles: [[Double]]
    ) -> [Double] {
        var y = x
        let half = turned / 2
        for (row, position) in positions.enumerated() {
            for head in 0..<heads {
                for i in 0..<half {
                    let first = row * heads * dim + head * dim
                    let (low, high) = pairs == .halves ? (first + i, first + half + i) : (first + 2 * i, first + 2 * i + 1)
                    let angle = angles[Int(position)][i]
                    y[low] = x[low] * cos(angle) - x[high] * sin(angle)
                    y[high] = x[high] * cos(angle) + x[low] * sin(angle)
                }
            }
        }
        return y
    }

    /// e^x / Σ e^x of every row.
    public static func softmax(_ x: [Double], width: Int) -> [Double] {
        byRows(x, width: width) { row in
            let peak = row.max() ?? 0
            let total = row.reduce(0) { $0 + exp($1 - peak) }
            return row.map { exp($0 - peak) / total }
        }
    }

    /// The elements of row `row` that a mask leaves, divided by 1 − rate; zeros elsewhere.
    public static func dropped(_ x: [Double], _ mask: DropoutMask?, row: Int) -> [Double] {
        guard let mask, mask.rate > 0 else { return x }
        let random = mask.random
        return x.enumerated().map { t, value in
            let block = Philox.block(
                counter: (UInt64(row) << 32 | UInt64(t / 4), random.stream), key: (random.key0, random.key1))
            let pair = t % 4 < 2 ? block.0 : block.1
            let word = t % 2 == 0 ? UInt32(truncatingIfNeeded: pair) : UInt32(truncatingIfNeeded: pair >> 32)
            return Double(word) * 0x1p-32 < mask.rate ? 0 : value / (1 - mask.rate)
        }
    }

    /// Attention of every query of every segment over the keys that it sees, listed one by one.
    public static func attention(
        _ q: [Double], _ k: [Double], _ v: [Double], layout: AttentionLayout, heads: Int, keyHeads: Int, dim: Int,
        scores form: AttentionScores, dropout: DropoutMask? = nil
    ) -> [Double] {
        let scale = form.scale.map(Double.init) ?? 1 / Double(dim).squareRoot()
        var out = [Double](repeating: 0, count: q.count)
        for segment in layout.segments {
            for (j, query) in segment.queries.enumerated() {
                let last = segment.firstKey + (segment.isCausal ? j : segment.queries.count - 1)
                let seen = Array(segment.prefix) + Array(segment.keyBegin...last)
                for head in 0..<heads {
                    let keyHead = head * keyHeads / heads
                    let at = (query * heads + head) * dim
                    func key(_ row: Int) -> Int { (row * keyHeads + keyHead) * dim }
                    let scores = seen.enumerated().map { place, row in
                        let distance = Double(seen.count - 1 - place)
                        guard form.window.map({ distance < Double($0) }) ?? true else { return -Double.infinity }
                        let product = (0..<dim).reduce(0) { $0 + q[at + $1] * k[key(row) + $1] } * scale
                        let capped = form.cap.map { Double($0) * tanh(product / Double($0)) } ?? product
                        return form.slopes.isEmpty ? capped : capped - Double(form.slopes[head]) * distance
                    }
                    let weights = dropped(softmax(scores, width: scores.count), dropout, row: query * heads + head)
                    for d in 0..<dim {
                        out[at + d] = zip(seen, weights).reduce(0) { $0 + $1.1 * v[key($1.0) + d] }
                    }
                }
            }
        }
        return out
    }

    /// log softmax(h Wᵀ / temperature) at the targets, and the entropies, over the first `valid` tokens.
    public static func logProbs(
        _ hidden: [Double], width: Int, weight: [Double], bias: [Double]? = nil, cap: Double? = nil, valid: Int, targets: [Int32],
        temperature: Double
    ) -> (logProbs: [Double], entropies: [Double]) {
        var (logProbs, entropies): ([Double], [Double]) = ([], [])
        for (row, target) in targets.enumerated() {
            let logits = linear(
                Array(hidden[row * width..<(row + 1) * width]), rows: 1, inputs: width, weight: weight, outputs: valid
            ).enumerated().map { index, product in
                let logit = product + (bias?[index] ?? 0)
                return (cap.map { $0 * tanh(logit / $0) } ?? logit) / temperature
            }
            let peak = logits.max() ?? 0
            let logSumExp = peak + log(logits.reduce(0) { $0 + exp($1 - peak) })
            logProbs.append(logits[Int(target)] - logSumExp)
            entropies.append(-logits.reduce(0) { $0 + exp($1 - logSumExp) * ($1 - logSumExp) })
        }
        return (logProbs, entropies)
    }
}
