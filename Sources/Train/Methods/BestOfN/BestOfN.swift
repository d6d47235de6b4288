public import Data
public import Eval
public import Models
public import Tensor

/// Draws N responses to every prompt, scores them, and keeps the best.
///
/// Every response has a random stream of its own, named by the run's seed, the prompt's id and the response's number, so neither the batch
/// size nor the set of other prompts changes it.
public struct BestOfN {
    /// Draws the responses.
    public var generator: Generator
    /// Scores them.
    public var rewardFunction: any RewardFunction
    /// Of the model that draws.
    public var tokenizer: any Tokenizer
    /// How responses are drawn.
    public var options: SamplingOptions
    /// The stream that the responses' own streams are split from.
    public var random: Philox
    /// The model that the KL of every response is measured against, when it is wanted.
    public var reference: (any TransformerDecoder)?
    /// Prompts that are answered together.
    public var promptsPerPass: Int

    /// A sampler; see the properties.
    public init(
        generator: Generator, rewardFunction: any RewardFunction, tokenizer: any Tokenizer, options: SamplingOptions,
        random: Philox, reference: (any TransformerDecoder)? = nil, promptsPerPass: Int = 16
    ) {
        self.generator = generator
        self.rewardFunction = rewardFunction
        self.tokenizer = tokenizer
        self.options = options
        self.random = random
        self.reference = reference
        self.promptsPerPass = promptsPerPass
    }

    /// N rows for every prompt, in order, handed over prompt by prompt as they are done.
    ///
    /// Each row has the numbers `sample` (0..<N), `tokens` (its length with the end), `ended` (0 or 1), `log_prob` and, with a reference,
    /// `kl` (Σ log p − log p_reference).
    /// - Parameter count: N, the responses to each prompt.
    /// - Throws: `GenerationError`; ``TrainingError/exampleTooLong(id:tokens:limit:)`` for a prompt that the reference has no positions
    ///   for; what the reward function and `each` throw.
    public func sample(
        _ prompts: [TokenisedPrompt], count: Int, each: (_ prompt: TokenisedPrompt, _ rows: [SampleRow]) throws -> Void
    ) throws {
        if let limit = reference?.positionLimit {
            // the last token of a response is predicted, not read
            let room = limit - options.maxNewTokens + 1
            if let prompt = prompts.first(where: { $0.tokens.count > room }) {
                throw TrainingError.exampleTooLong(id: prompt.id, tokens: prompt.tokens.count, limit: room)
            }
        }
        for begin in stride(from: 0, to: prompts.count, by: promptsPerPass) {
            let part = Array(prompts[begin..<min(prompts.count, begin + promptsPerPass)])
            let requests = part.map { prompt in
                GenerationRequest(
                    prompt: prompt.tokens,
                    streams: (0..<count).map { random.split(prompt.id).split(UInt64($0)) })
            }
            let responses = try generator.generate(requests, options: options)
            var judged: [RewardRequest] = []
            for (prompt, answers) in zip(part, responses) {
                for answer in answers {
                    judged.append(
                        RewardRequest(
                            query: prompt.query, response: tokenizer.decode(answer.tokens, skippingSpecialTokens: true),
                            reference: prompt.reference, promptTokens: prompt.tokens, responseTokens: answer.tokens))
                }
            }
            let rewards = try rewardFunction.checkedRewards(for: judged)
            for (i, prompt) in part.enumerated() {
                let kl = reference.map { sequenceKL(prompt: prompt.tokens, responses[i], under: $0) }
                try each(
                    prompt,
                    (0..<count).map { sample in
                        let index = i * count + sample
                        let answer = responses[i][sample]
                        var numbers: [String: Double] = [
                            "sample": Double(sample), "tokens": Double(answer.tokens.count),
                            "ended": answer.ended ? 1 : 0,
                            "log_prob": answer.logProbs.reduce(0) { $0 + Double($1) },
                        ]
                        if let kl { numbers["kl"] = kl[sample] }
                        return SampleRow(
                            id: prompt.id, input: prompt.query, response: judged[index].response,
                            reference: prompt.reference,
                            reward: rewards[index], numbers: numbers)
                    })
            }
        }
    }

    /// Σ log p − log p_reference of every response to one prompt; the prompt is processed once.
    private func sequenceKL(prompt: [Int32], _ responses: [GeneratedResponse], under reference: any TransformerDecoder) -> [Double] {
        // the prompt's last token is fed with each response: it is where the first response token is predicted
        let continuations = responses.map { [prompt[prompt.count - 1]] + $0.tokens.dropLast() }
        let batch: TokenBatch
        if prompt.count > 1 {
            batch = TokenBatch(prompts: [Array(prompt.dropLast())], continuations: [continuations])
        } else {
            batch = TokenBatch(continuations)
        }
        let hidden = reference.hidden(batch, wanted: batch.rows)
        let logProbs = hidden.logProbs(
            reference.projection.value, targets: responses.flatMap(\.tokens),
            temperature: options.temperature == 0 ? 1 : options.temperature, validTokens: generator.validTokens
        ).logProbs.values
        var at = 0
        return responses.map { response in
            defer { at += response.tokens.count }
            return zip(response.logProbs, logProbs[at...]).reduce(0) { $0 + Double($1.0) - Double($1.1) }
        }
    }

    /// The row with the greatest reward, the first of equals.
    public static func best(of rows: [SampleRow]) -> SampleRow? {
        rows.reduce(nil) { best, row in
            guard let best else { return row }
            return (row.reward ?? -.infinity) > (best.reward ?? -.infinity) ? row : best
        }
    }

    /// The reward of the best of the first n rows, for every n.
    public static func bestRewards(_ rows: [SampleRow]) -> [Double] {
        var best = -Double.infinity
        return rows.map { row in
            best = max(best, row.reward ?? -.infinity)
            return best
        }
    }

    /// KL(best-of-N ‖ the sampled policy) ≤ log N − (N − 1)/N (Beirami et al. 2024), with equality for distinct scores.
    public static func kl(n: Int) -> Double { kl(claimed: Double(n)) }

    /// The same for an N that a table says; 0 for what can be no number of responses.
    package static func kl(claimed n: Double) -> Double { n >= 1 && n.isFinite ? logarithm(n) - (n - 1) / n : 0 }
}
