package import Data
import Eval
package import Models
import Tensor

// From prompts to responses with scores and log-probabilities.
extension PPOTrainer {
    /// Samples responses to a step's prompts, with log-probabilities, values and trunk states. All responses to the first prompt
    /// come first, then those to the second, and so on.
    /// - Parameter first: the number of the first prompt in the step.
    package func sample(_ prompts: [TokenisedPrompt], from first: Int = 0) throws -> [SampledResponse] {
        let stream = random.split("rollout").split(UInt64(step))
        let generator = Generator(
            policy, valueHead: valueHead, ends: ends, validTokens: tokenizer.vocabularySize,
            maxActive: config.maxActiveResponses, trunkLayers: sharedTrunkLayers > 0 ? sharedTrunkLayers : nil)
        let sampler = ResponseSampler(generator, tokenizer: tokenizer, options: config.sampling)
        // the first response does not depend on the number of responses
        return try naming(prompts) {
            try sampler.responses(to: prompts) { index in
                let own = stream.split(UInt64(first + index))
                return [own] + (1..<max(1, config.generations)).map { own.split("response").split(UInt64($0)) }
            }.flatMap { $0 }
        }
    }

    /// Calls `body`, which samples. NaN or Inf in logits becomes an error that names the prompt and the first affected tensor.
    func naming<Result>(_ prompts: [TokenisedPrompt], _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch GenerationError.notFinite(let index, let position) {
            throw TrainingError.notFinite(
                "a log-probability at position \(position)", step: step + 1, in: policy, valueHead, ids: [prompts[index].id],
                sequences: [prompts[index].tokens])
        }
    }

    /// The score of every response.
    /// - Parameter isMeasured: whether the parts of a weighted sum are recorded as metrics.
    func score(_ responses: [SampledResponse], isMeasured: Bool = true) throws -> [Double] {
        let scores = try sum(of: rewardFunction, for: responses, isMeasured: isMeasured)
        // scores beyond the range of 32-bit floats would become infinite
        guard scores.allSatisfy({ Float($0).isFinite }) else {
            let bad = zip(scores, responses).filter { !Float($0.0).isFinite }.map(\.1.prompt.id)
            throw TrainingError.notFinite(what: "the reward", step: step + 1, examples: bad)
        }
        return scores
    }

    /// The reward of every response. The parts of a weighted sum are scored and recorded separately.
    private func sum(of reward: any RewardFunction, for responses: [SampledResponse], isMeasured: Bool) throws -> [Double] {
        guard let composed = reward as? WeightedReward else {
            return try reward.rewards(for: responses, batch: arithmetic.scoredTogether, trunkLayers: sharedTrunkLayers)
        }
        var sums = [Double](repeating: 0, count: responses.count)
        for (name, part) in zip(composed.names, composed.parts) {
            for (i, value) in try sum(of: part.reward, for: responses, isMeasured: isMeasured).enumerated() {
                sums[i] += part.weight * value
                if isMeasured { objective.statistics.add("reward_\(name)", value) }
            }
        }
        return sums
    }

    /// Rollouts of the responses, with the shaped scores.
    package func rollouts(of responses: [SampledResponse], scores: [Double]) -> [Rollout] {
        zip(responses, scores).map { response, score in
            var rollout = Rollout(id: response.prompt.id, prompt: response.prompt.tokens, response: response.drawn)
            rollout.score = TokenRewards.shapedScore(score, length: rollout.length, ended: rollout.ended, config: config)
            return rollout
        }
    }

    /// The token that pads shorter responses, where padding is used.
    var padding: Int32 { Self.padding(tokenizer, ends) }

    /// The padding token, as in the original code: an ID of 0 counts as none, and the end-of-sequence token is used instead.
    package static func padding(_ tokenizer: any Tokenizer, _ ends: EndTokens) -> Int32 {
        tokenizer.padding.flatMap { $0 == 0 ? nil : $0 } ?? ends.closing ?? 0
    }

    /// The current policy's log-probabilities and values of every response token, computed by all ranks.
    /// - Throws: ``CollectiveError``.
    func predictions(of rollouts: [Rollout]) throws -> [TokenScorer.Scores] {
        try sharedScores(
            of: rollouts,
            by: TokenScorer(
                decoder: policy, valueHead: valueHead, temperature: arithmetic.temperature, validTokens: tokenizer.vocabularySize))
    }

    /// A model's scores of the response tokens of rollouts, in passes of at most `tokensPerPass` tokens.
    func scores(of rollouts: [Rollout], by scorer: TokenScorer) -> [TokenScorer.Scores] {
        let parts = Packing.parts(rollouts, tokensPerPass: config.tokensPerPass) { rollout, previous in
            previous.map { RolloutPass.tokens(of: rollout, behind: $0) } ?? rollout.count
        }
        return parts.flatMap { part in
            let pass = RolloutPass(part)
            return scorer.scores(pass.targets, trunk: pass.trunk(layers: objective.trunkLayers))
        }
    }

    /// Adds the reference model's log-probabilities of the response tokens, computed by this rank.
    /// - Parameter temperature: the temperature for log-probabilities. Default: that of the arithmetic.
    package func addReferenceLogProbs(to rollouts: inout [Rollout], temperature: Float? = nil) {
        guard let scorer = referenceScorer(temperature: temperature) else { return }
        for (i, found) in scores(of: rollouts, by: scorer).enumerated() { rollouts[i].referenceLogProbs = found.logProbs }
    }

    /// Adds the reference model's log-probabilities of the response tokens, computed by all ranks.
    /// - Throws: ``CollectiveError``.
    func addSharedReferenceLogProbs(to rollouts: inout [Rollout]) throws {
        guard let scorer = referenceScorer() else { return }
        for (i, found) in try sharedScores(of: rollouts, by: scorer).enumerated() { rollouts[i].referenceLogProbs = found.logProbs }
    }

    private func referenceScorer(temperature: Float? = nil) -> TokenScorer? {
        reference.map {
            TokenScorer(decoder: $0, temperature: temperature ?? arithmetic.temperature, validTokens: tokenizer.vocabularySize)
        }
    }

    /// Checks that all log-probabilities and values are finite.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``.
    func checkFinite(_ rollouts: [Rollout]) throws {
        let kinds: [(KeyPath<Rollout, [Float]>, String, any TransformerDecoder, ValueHead?)] = [
            (\.logProbs, "a log-probability", policy, nil), (\.values, "a value", policy, valueHead),
            (\.referenceLogProbs, "a log-probability of the reference model", reference ?? policy, nil),
        ]
        for (path, name, decoder, head) in kinds {
            let bad = rollouts.filter { !$0[keyPath: path].allSatisfy(\.isFinite) }
            guard !bad.isEmpty else { continue }
            throw TrainingError.notFinite(
                name, step: step + 1, in: decoder, head, ids: bad.map(\.id), sequences: bad.map { $0.prompt + $0.response })
        }
    }
}
