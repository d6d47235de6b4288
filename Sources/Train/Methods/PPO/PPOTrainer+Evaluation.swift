public import Data
import Eval
import Models
import Tensor

extension PPOTrainer {
    /// Answers the evaluation prompts greedily and reports metrics: `<name>_score`, `<name>_length`, `<name>_end_share`, and
    /// `<name>_average_…` and `<name>_median_…` of rewards, KL, entropy and text metrics. KL and entropy are computed at
    /// temperature 1. Each rank answers a share of the prompts.
    /// - Throws: `GenerationError` or ``TrainingError``; errors of the reward function and the handler; ``CollectiveError`` when
    ///   another rank fails.
    public func evaluate() throws { try evaluate(evaluationPrompts, table: "evaluation") }

    /// Evaluates other sets of prompts in the same way. The rows of each set go to the table `<table>_<name>`.
    /// - Throws: the errors of ``evaluate()``.
    public func evaluate(_ sets: [(name: String, prompts: [TokenisedPrompt])], table: String) throws {
        var values: [String: Double] = [:]
        for (name, set) in sets where !set.isEmpty {
            let unit = rewardFunction.dependsOnBatch ? config.evaluationBatchSize ?? set.count : 1
            let parts = try collective.reporting("evaluation of \(name)", set.count, unit: "response", to: handler) { progress in
                try collective.sharing(set, unit: unit, tokens: cost) { share in
                    try answered(share) { try collective.estimating(share.count, of: set.count, progress, $0, $1) }
                }
            }
            let rows = parts.flatMap { $0.rows.map(\.row) }
            let scores = parts.flatMap(\.scores)
            values.merge(SampleEvaluation.values(of: rows, name: name)) { $1 }
            values["\(name)_average_step"] = nil
            values["\(name)_median_step"] = nil
            let n = Double(set.count)
            values["\(name)_score"] = scores.reduce(0, +) / n
            values["\(name)_length"] = Double(parts.reduce(0) { $0 + $1.tokens }) / n
            values["\(name)_end_share"] = Double(parts.reduce(0) { $0 + $1.ended }) / n
            try collective.together { try handler(.sampled(table: "\(table)_\(name)", rows: rows)) }
        }
        guard !values.isEmpty else { return }
        lastEvaluation = values
        try collective.together { try handler(.measured(step: step, values: values)) }
    }

    /// The results of a rank's prompts.
    private struct Answers: Codable {
        var rows: [RowMessage] = []
        var scores: [Double] = []
        var tokens = 0
        var ended = 0
    }

    /// Greedy answers to some prompts.
    private func answered(_ prompts: [TokenisedPrompt], progress: PartProgressHandler) throws -> Answers {
        guard !prompts.isEmpty else { return Answers() }
        let sampler = ResponseSampler(
            Generator(policy, ends: ends, validTokens: tokenizer.vocabularySize, maxActive: config.maxActiveResponses),
            tokenizer: tokenizer, options: .greedy(maxNewTokens: config.sampling.maxNewTokens))
        let responses = try naming(prompts) {
            try sampler.responses(to: prompts, progress: progress) { _ in [random] }.map { $0[0] }
        }
        let scores = try rewardFunction.rewards(for: responses, batch: config.evaluationBatchSize)
        return Answers(
            rows: rows(of: responses, scores: scores).map(RowMessage.init), scores: scores,
            tokens: responses.reduce(0) { $0 + $1.drawn.tokens.count }, ended: responses.count { $0.drawn.ended })
    }

    private func rows(of responses: [SampledResponse], scores: [Double]) -> [SampleRow] {
        var rollouts = rollouts(of: responses, scores: scores)
        addReferenceLogProbs(to: &rollouts, temperature: 1)
        let predictions = self.scores(
            of: rollouts,
            by: TokenScorer(decoder: policy, temperature: 1, validTokens: tokenizer.vocabularySize, withEntropy: true))
        return responses.indices.map { i in
            let rollout = rollouts[i]
            let entropy = predictions[i].entropies.reduce(0) { $0 + Double($1) }
            var numbers = [
                "step": Double(step), "auxiliary_reward": rollout.score - scores[i] * config.rewardScale, "entropy": entropy,
                "token_entropy": entropy / Double(max(1, rollout.length)), "tokens": Double(rollout.length),
            ]
            if reference != nil {
                let kl = rollout.estimatedKL(config.klEstimator, columns: rollout.length)
                (numbers["kl_div"], numbers["kl_reward"]) = (kl, -controller.coefficient * kl)
            }
            return responses[i].row(reward: scores[i], numbers: numbers)
        }
    }
}
