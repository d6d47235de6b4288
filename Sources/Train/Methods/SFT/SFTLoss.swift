public import Data
public import Models
public import Tensor

/// The loss of supervised fine-tuning: the cross-entropy of the target tokens given the prompt, in nats.
public enum SFTLoss {
    /// The sum of −log p over all target tokens, times `weight`, as a scalar on the tape.
    /// - Parameters:
    ///   - decoder: the model.
    ///   - examples: the tokenised examples.
    ///   - weight: the weight of every target token.
    ///   - tape: the tape that records the pass; nil for inference.
    ///   - validTokens: the number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of
    ///     the model.
    public static func loss(
        _ decoder: any TransformerDecoder, _ examples: [TokenisedExample], weight: Float, on tape: Tape?, validTokens: Int? = nil
    ) -> Tensor {
        loss(decoder, examples, weights: examples.map { _ in weight }, on: tape, validTokens: validTokens)
    }

    /// The weighted sum of −log p over all target tokens, as a scalar on the tape.
    /// - Parameters:
    ///   - decoder: the model.
    ///   - examples: the tokenised examples.
    ///   - weights: the weight of each example's tokens, one number per example.
    ///   - tape: the tape that records the pass; nil for inference.
    ///   - validTokens: the number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of
    ///     the model.
    ///   - dropout: the source of dropout masks; nil without dropout.
    public static func loss(
        _ decoder: any TransformerDecoder, _ examples: [TokenisedExample], weights: [Float], on tape: Tape?,
        validTokens: Int? = nil, dropout: DropoutSource? = nil
    ) -> Tensor {
        precondition(weights.count == examples.count, "\(weights.count) weights for \(examples.count) examples")
        var pass = TargetPass(prompts: examples.map(\.prompt), targets: examples.map(\.target))
        pass.batch.dropout = dropout
        let hidden = decoder.hidden(pass.batch, wanted: pass.wanted, on: tape)
        return decoder.crossEntropy(
            hidden, targets: pass.targets, rowWeights: zip(examples, weights).flatMap { Array(repeating: $1, count: $0.target.count) },
            validTokens: validTokens, on: tape)
    }

    /// The weight of each example's tokens in the loss of an optimiser step: 1 / (number of target tokens of the step). With
    /// micro-batches, as in the original code, the loss is the mean of their means, and the weight is 1 / (target tokens of the
    /// micro-batch · number of micro-batches).
    public static func weights(_ targetTokens: [Int], microBatch: Int?) -> [Float] {
        let size = max(1, microBatch ?? targetTokens.count)
        let batches = (targetTokens.count + size - 1) / size
        var result: [Float] = []
        for begin in stride(from: 0, to: targetTokens.count, by: size) {
            let part = targetTokens[begin..<min(targetTokens.count, begin + size)]
            result += Array(repeating: 1 / Float(max(1, part.reduce(0, +)) * batches), count: part.count)
        }
        return result
    }

    /// The sums of −log p over all target tokens, and over the tokens of the prompts except their first ones, from one pass: two
    /// scalars.
    package static func losses(
        _ decoder: any TransformerDecoder, _ examples: [TokenisedExample], on tape: Tape?, validTokens: Int? = nil,
        dropout: DropoutSource? = nil
    ) -> (target: Tensor, prompt: Tensor) {
        var batch = TokenBatch(examples.map { $0.prompt + $0.target.dropLast() })
        batch.dropout = dropout
        let hidden = decoder.hidden(batch, wanted: batch.rows, on: tape)
        func sum(_ rows: [Int], _ targets: [Int32]) -> Tensor {
            decoder.crossEntropy(
                hidden.rows(rows), targets: targets, rowWeights: Array(repeating: 1, count: targets.count), validTokens: validTokens,
                on: tape)
        }
        let split = zip(batch.rows, examples).map { $0.lowerBound + $1.prompt.count - 1 }
        return (
            sum(zip(batch.rows, split).flatMap { Array($1..<$0.upperBound) }, examples.flatMap(\.target)),
            sum(
                zip(batch.rows, split).flatMap { Array($0.lowerBound..<$1) }, examples.flatMap { $0.prompt.dropFirst() }
            )
        )
    }

    /// The mean loss per target token of a set of examples, in nats, without gradients.
    /// - Parameters:
    ///   - decoder: the model.
    ///   - examples: the tokenised examples.
    ///   - batchSize: the batch size of a mean of batch means, in which short answers weigh more; nil for one mean over all
    ///     tokens.
    ///   - tokensPerPass: the maximum number of tokens per forward pass.
    ///   - validTokens: the number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of
    ///     the model.
    public static func mean(
        _ decoder: any TransformerDecoder, _ examples: [TokenisedExample], batchSize: Int?, tokensPerPass: Int, validTokens: Int? = nil
    ) -> Double {
        guard let batches = batches(of: examples, batchSize: batchSize) else {
            return mean(decoder, examples, tokensPerPass: tokensPerPass, validTokens: validTokens)
        }
        let means = batches.map { mean(decoder, $0, tokensPerPass: tokensPerPass, validTokens: validTokens) }
        return means.reduce(0, +) / Double(means.count)
    }

    /// The mean loss per target token of a set of examples, in nats, without gradients.
    public static func mean(
        _ decoder: any TransformerDecoder, _ examples: [TokenisedExample], tokensPerPass: Int, validTokens: Int? = nil
    ) -> Double {
        sum(decoder, examples, tokensPerPass: tokensPerPass, validTokens: validTokens) { _, _ in }
            / Double(max(1, examples.reduce(0) { $0 + $1.target.count }))
    }

    /// The sum of −log p over all target tokens of a set of examples, in nats, without gradients.
    /// - Parameter progress: called after each pass with the numbers of examples and tokens so far.
    static func sum(
        _ decoder: any TransformerDecoder, _ examples: [TokenisedExample], tokensPerPass: Int, validTokens: Int?,
        progress: PartProgressHandler
    ) rethrows -> Double {
        var total = 0.0
        try Packing.forEachPart(of: examples, tokensPerPass: tokensPerPass, length: \.count, progress: progress) { part in
            total += Double(loss(decoder, part, weight: 1, on: nil, validTokens: validTokens).item)
        }
        return total
    }

    /// The batches of a mean of batch means; nil if the batch size asks for one mean over all tokens.
    static func batches(of examples: [TokenisedExample], batchSize: Int?) -> [[TokenisedExample]]? {
        guard let batchSize, batchSize > 0, batchSize < examples.count else { return nil }
        return stride(from: 0, to: examples.count, by: batchSize).map {
            Array(examples[$0..<min(examples.count, $0 + batchSize)])
        }
    }
}

extension TokenisedExample {
    /// The number of tokens of prompt and target.
    public var count: Int { prompt.count + target.count }
}
