public import Data
import Eval
import Models
import Tensor

extension PPOTrainer {
    /// Answers the evaluation prompts greedily and reports metrics: `<name>_score`, `<name>_length`, `<name>_end_share`, and
    /// `<name>_average_…` and `<name>_median_…` of rewards, KL, entropy and text metrics. KL and entropy are computed at
    /// temperature 1.
    /// - Throws: `GenerationError` or ``TrainingError``; errors of the reward function and the handler.
    public func evaluate() throws { try evaluate(evaluationPrompts, table: "evaluation") }

    /// Evaluates other sets of prompts in the same way. The rows of each set go to the table `<table>_<name>`.
    /// - Throws: the errors of ``evaluate()``.
    public func evaluate(_ sets: [(name: String, prompts: [TokenisedPrompt])], table: String) throws {
        let sampler = ResponseSampler(
            Generator(policy, ends: ends, validTokens: tokenizer.vocabularySize), tokenizer: tokenizer,
            options: .greedy(maxNewTokens: config.sampling.maxNewTokens))
        var values: [String: Double] = [:]
        for (name, set) in sets where !set.isEmpty {
            let responses = try naming(set) { try sampler.responses(to: set) { _ in [random] }.map { $0[0] } }
            let scores = try rewardFunction.rewards(for: responses, batch: config.evaluationBatchSize)
            let rows = rows(of: responses, scores: scores)
            values.merge(SampleEvaluation.values(of: rows, name: name)) { $1 }
            values["\(name)_average_step"] = nil
            values["\(name)_median_step"] = nil
            let n = Double(set.count)
            values["\(name)_score"] = scores.reduce(0, +) / n
            values["\(name)_length"] = responses.reduce(0) { $0 + Double($1.drawn.tokens.count) } / n
            values["\(name)_end_share"] = Double(responses.count { $0.drawn.ended }) / n
            try handler(.sampled(table: "\(table)_\(name)", rows: rows))
        }
        guard !values.isEmpty else { return }
        lastEvaluation = values
        try handler(.measured(step: step, values: values))
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
