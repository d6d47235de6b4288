public import Data
public import Models
public import Tensor

/// The supervised loss: cross-entropy of the target tokens given the prompt, in nats.
public enum SFTLoss {
    /// The sum of −log p over all target tokens, times `weight`, as a scalar on the tape.
    public static func loss(
        _ decoder: any Decoder, _ examples: [TokenisedExample], weight: Float, on tape: Tape?, validTokens: Int? = nil
    ) -> Tensor {
        let pass = TargetPass(examples)
        let hidden = decoder.hidden(pass.batch, wanted: pass.wanted, on: tape)
        return hidden.crossEntropy(
            decoder.projection.on(tape), targets: pass.targets,
            rowWeights: Array(repeating: weight, count: pass.targets.count), validTokens: validTokens)
    }

    /// The mean loss per target token of a set of examples, without gradients.
    public static func mean(
        _ decoder: any Decoder, _ examples: [TokenisedExample], tokensPerPass: Int, validTokens: Int? = nil
    ) -> Double {
        var total = 0.0
        for part in Packing.parts(examples, tokensPerPass: tokensPerPass, length: \.count) {
            total += Double(loss(decoder, part, weight: 1, on: nil, validTokens: validTokens).item)
        }
        return total / Double(max(1, examples.reduce(0) { $0 + $1.target.count }))
    }
}

extension TokenisedExample {
    /// The tokens of prompt and target.
    public var count: Int { prompt.count + target.count }
}

/// Examples as one ragged batch, with the rows that predict target tokens. The last target token is predicted but never fed.
package struct TargetPass {
    package let batch: TokenBatch
    package let wanted: [Range<Int>]
    package let targets: [Int32]

    package init(_ examples: [TokenisedExample]) {
        batch = TokenBatch(examples.map { $0.prompt + $0.target.dropLast() })
        wanted = zip(batch.rows, examples).map { rows, example in
            rows.lowerBound + example.prompt.count - 1..<rows.upperBound
        }
        targets = examples.flatMap(\.target)
    }
}

/// Cuts a list into parts by their number of tokens.
package enum Packing {
    /// Consecutive parts of at most `tokensPerPass` tokens (an item that is longer is a part of its own).
    package static func parts<Item>(_ items: [Item], tokensPerPass: Int, length: (Item) -> Int) -> [[Item]] {
        var result: [[Item]] = []
        var used = 0
        for item in items {
            let tokens = length(item)
            if result.isEmpty || used + tokens > tokensPerPass {
                result.append([item])
                used = tokens
            } else {
                result[result.count - 1].append(item)
                used += tokens
            }
        }
        return result
    }
}
