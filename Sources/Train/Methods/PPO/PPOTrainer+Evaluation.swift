public import Data
import Eval
import Models
import Tensor

extension PPOTrainer {
    /// Answers the evaluation prompts greedily: `<name>_score`, length, share of ended responses,
    /// and `<name>_average_…` and `<name>_median_…` of rewards, KL, entropy and text metrics. KL and entropy are those of the raw
    /// logits.
    /// - Throws: `GenerationError` or ``TrainingError``; what the reward function and the handler throw.
    public func evaluate() throws { try evaluate(evaluationPrompts, table: "evaluation") }

    /// The same for other sets of prompts; the rows of each go to the table `<table>_<name>`.
    /// - Throws: as ``evaluate()``.
    public func evaluate(_ sets: [(name: String, prompts: [TokenisedPrompt])], table: String) throws {
        var values: [String: Double] = [:]
        for (name, set) in sets where !set.isEmpty {
            let generator = Generator(
                policy, ends: ends, validTokens: tokenizer.vocabularySize)
            let responses = try naming(set) {
                try generator.generate(
                    set.map { GenerationRequest(prompt: $0.tokens, streams: [random]) },
                    options: .greedy(maxNewTokens: config.sampling.maxNewTokens)
                ).map { $0[0] }
            }
            let texts = responses.map { tokenizer.decode($0.tokens, skippingSpecialTokens: true) }
            let scores = try rewards(
                for: set.indices.map {
                    RewardRequest(
                        query: set[$0].query, response: texts[$0], reference: set[$0].reference,
                        promptTokens: set[$0].tokens,
                        responseTokens: responses[$0].tokens)
                })
            let n = Double(set.count)
            var rollouts = zip(set, responses).map { prompt, response in
                Rollout(
                    id: prompt.id, prompt: prompt.tokens, response: response.tokens, ended: response.ended,
                    logProbs: response.logProbs, values: [])
            }
            addReferenceLogProbs(to: &rollouts, temperature: 1)
            let entropies = entropies(of: rollouts)
            let rows = zip(set.indices, rollouts).map { i, rollout in
                let kl = zip(rollout.logProbs, rollout.referenceLogProbs).reduce(0) {
                    $0 + TokenRewards.kl(policy: Double($1.0), reference: Double($1.1), estimator: config.klEstimator)
                }
                let shaped = TokenRewards.shapedScore(
                    scores[i], length: rollout.response.count, ended: rollout.ended, config: config)
                return SampleRow(
                    id: set[i].id, input: set[i].query, response: texts[i], reference: set[i].reference,
                    reward: scores[i],
                    numbers: [
                        "step": Double(step), "kl_div": kl, "kl_reward": -controller.coefficient * kl,
                        "auxiliary_reward": shaped - scores[i] * config.rewardScale,
                        "entropy": entropies[i],
                        "token_entropy": entropies[i] / Double(max(1, rollout.response.count)), "tokens": Double(rollout.response.count),
                    ])
            }
            for (key, value) in GenerationMetrics.measure(rows).averagesAndMedians { values["\(name)_\(key)"] = value }
            values["\(name)_average_step"] = nil
            values["\(name)_median_step"] = nil
            values["\(name)_score"] = scores.reduce(0, +) / n
            values["\(name)_length"] = responses.reduce(0) { $0 + Double($1.tokens.count) } / n
            values["\(name)_end_share"] = Double(responses.count { $0.ended }) / n
            try handler(.sampled(table: "\(table)_\(name)", rows: rows))
        }
        guard !values.isEmpty else { return }
        lastEvaluation = values
        try handler(.measured(step: step, values: values))
    }

    /// The rewards of an evaluation's responses, batch by batch where a batch's width may count.
    private func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let size = max(1, config.evaluationBatchSize ?? requests.count)
        return try stride(from: 0, to: requests.count, by: size).flatMap {
            try rewardFunction.rewards(for: Array(requests[$0..<min(requests.count, $0 + size)]))
        }
    }

    /// The entropy of the policy's predictions of each response's tokens, summed over the response.
    private func entropies(of rollouts: [Rollout]) -> [Double] {
        Packing.parts(
            rollouts, tokensPerPass: config.tokensPerPass, length: { $0.prompt.count + $0.response.count }
        ).flatMap { part -> [Double] in
            let pass = pass(over: part)
            let hidden = policy.hidden(pass.target.batch, wanted: pass.target.wanted, trunk: pass.trunk)
            let found =
                hidden.logProbs(
                    policy.projection.value, targets: pass.target.targets, temperature: 1,
                    validTokens: tokenizer.vocabularySize, withEntropy: true
                ).entropies?.values ?? []
            var first = 0
            return part.map { rollout in
                let own = found[first..<first + rollout.response.count]
                first += rollout.response.count
                return own.reduce(0) { $0 + Double($1) }
            }
        }
    }
}
