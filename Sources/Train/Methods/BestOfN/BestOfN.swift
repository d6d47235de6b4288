public import Data
public import Eval
public import Models
public import Tensor

/// Best-of-N: samples N responses to every prompt, scores them, and chooses the best.
///
/// Every response has a separate random stream, derived from the run's seed, the prompt's ID and the response's number. So
/// neither the batch size nor the other prompts affect it.
///
/// Several ranks can share the work: all call ``sample(_:count:among:each:)`` with the same prompts, and all get all rows. Each
/// rank answers ``promptsPerPass`` prompts at a time, as one process does, so the rows have the bits of one process. All ranks are
/// busy if a call has at least `promptsPerPass` prompts for each of them.
public struct BestOfN {
    /// Samples the responses.
    public var sampler: ResponseSampler
    /// Scores the responses.
    public var rewardFunction: any RewardFunction
    /// The random stream from which the responses' streams are derived.
    public var random: Philox
    /// The reference model for the KL of every response; nil if no KL is measured.
    public var reference: (any TransformerDecoder)?
    /// Whether the KL is between the sampling distribution (after temperature, top-k, top-p and min-p) and the unmodified
    /// reference. Otherwise it is between policy and reference at the same temperature.
    public var measuresDraws = false
    /// The number of prompts that are answered together.
    public var promptsPerPass = 16

    /// Best-of-N with a sampler; see the properties.
    public init(_ sampler: ResponseSampler, rewardFunction: any RewardFunction, random: Philox) {
        (self.sampler, self.rewardFunction, self.random) = (sampler, rewardFunction, random)
    }

    /// Samples N rows for every prompt, and calls `each` with the rows of one prompt at a time, in order.
    ///
    /// Each row has the numbers `sample` (0..<N), `tokens` (the length, including the end-of-sequence token), `ended` (0 or 1),
    /// `log_prob` and, with a reference, `kl` (Σ log p − log p_reference).
    /// - Parameters:
    ///   - prompts: the prompts to answer.
    ///   - count: N, the number of responses to each prompt.
    ///   - collective: the ranks that share the prompts. Default: this process alone.
    ///   - each: called with every prompt and its rows.
    /// - Throws: `GenerationError`; ``TrainingError/exampleTooLong(id:tokens:limit:)`` for a prompt that exceeds the reference's
    ///   positions; errors of the reward function and of `each`; ``CollectiveError`` when another rank fails.
    public func sample(
        _ prompts: [TokenisedPrompt], count: Int, among collective: any Collective = LocalCollective(),
        each: (_ prompt: TokenisedPrompt, _ rows: [SampleRow]) throws -> Void
    ) throws {
        if let limit = reference?.positionLimit {
            // the last token of a response is predicted, not read
            let room = limit - sampler.options.maxNewTokens + 1
            if let prompt = prompts.first(where: { $0.tokens.count > room }) {
                throw TrainingError.exampleTooLong(id: prompt.id, tokens: prompt.tokens.count, limit: room)
            }
        }
        let parts = stride(from: 0, to: prompts.count, by: promptsPerPass).map {
            Array(prompts[$0..<min(prompts.count, $0 + promptsPerPass)])
        }
        guard collective.size > 1 else {
            for part in parts { try answer(part, count: count, each: each) }
            return
        }
        try collective.inRounds(parts) { part in
            var all: [[RowMessage]] = []
            try answer(part, count: count) { all.append($1.map(RowMessage.init)) }
            return all
        } each: { part, rows in
            for (prompt, rows) in zip(part, rows) { try each(prompt, rows.map(\.row)) }
        }
    }

    /// Samples the rows of prompts that are answered together.
    private func answer(
        _ part: [TokenisedPrompt], count: Int, each: (_ prompt: TokenisedPrompt, _ rows: [SampleRow]) throws -> Void
    ) throws {
        let responses = try sampler.responses(to: part) { index in
            (0..<count).map { random.split(part[index].id).split(UInt64($0)) }
        }
        var rewards = try rewardFunction.checkedRewards(for: responses.flatMap { $0 })[...]
        for (prompt, answers) in zip(part, responses) {
            try each(prompt, rows(answers, rewards: rewards.prefix(count)))
            rewards = rewards.dropFirst(count)
        }
    }

    private func rows(_ answers: [SampledResponse], rewards: ArraySlice<Double>) -> [SampleRow] {
        let kl = reference.map { sequenceKL(answers, under: $0) }
        return zip(answers, rewards).enumerated().map { sample, item in
            let (answer, reward) = item
            var numbers: [String: Double] = [
                "sample": Double(sample), "tokens": Double(answer.drawn.tokens.count), "ended": answer.drawn.ended ? 1 : 0,
                "log_prob": answer.drawn.logProbs.reduce(0) { $0 + Double($1) },
            ]
            if let kl { numbers["kl"] = kl[sample] }
            return answer.row(reward: reward, numbers: numbers)
        }
    }

    /// Σ log p − log p_reference for every response to one prompt, which is processed once.
    private func sequenceKL(_ answers: [SampledResponse], under reference: any TransformerDecoder) -> [Double] {
        guard let prompt = answers.first?.prompt else { return [] }
        let scorer = TokenScorer(
            decoder: reference,
            temperature: measuresDraws || sampler.options.temperature == 0 ? 1 : sampler.options.temperature,
            validTokens: sampler.generator.validTokens)
        let scores = scorer.scores(TargetPass(prompt: prompt.tokens, targets: answers.map(\.drawn.tokens)))
        return zip(answers, scores).map { answer, score in
            zip(measuresDraws ? answer.drawn.drawLogProbs : answer.drawn.logProbs, score.logProbs).reduce(0) {
                $0 + Double($1.0) - Double($1.1)
            }
        }
    }

    /// The row with the highest reward; the first of several equal ones.
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

    /// The upper bound log N − (N − 1)/N of KL(best-of-N ‖ sampled policy), in nats (Beirami et al. 2024). It is attained for
    /// distinct scores.
    public static func kl(n: Int) -> Double { kl(claimed: Double(n)) }

    /// The bound of ``kl(n:)`` for an N read from a table; 0 for an invalid N.
    package static func kl(claimed n: Double) -> Double { n >= 1 && n.isFinite ? logarithm(n) - (n - 1) / n : 0 }
}
