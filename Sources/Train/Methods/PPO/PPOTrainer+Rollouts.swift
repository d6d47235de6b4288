package import Data
import Eval
package import Models
import Tensor

extension PPOTrainer {
    func respond(to prompts: [TokenisedPrompt], streams: [Philox]) throws -> [Rollout] {
        let generator = Generator(
            policy, valueHead: valueHead, ends: ends, validTokens: tokenizer.vocabularySize,
            trunkLayers: trunkLayers > 0 ? trunkLayers : nil)
        let responses = try naming(prompts) {
            try generator.generate(
                zip(prompts, streams).map { GenerationRequest(prompt: $0.tokens, streams: [$1]) }, options: config.sampling)
        }
        return zip(prompts, responses).map { prompt, responses in
            let response = responses[0]
            return Rollout(
                id: prompt.id, prompt: prompt.tokens, response: response.tokens, ended: response.ended,
                logProbs: response.logProbs, values: response.values, trunk: response.trunk)
        }
    }

    /// Calls `body`, which samples; logits that are not finite become an error that names the prompt and the first tensor.
    func naming<Result>(_ prompts: [TokenisedPrompt], _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch GenerationError.notFinite(let index, let position) {
            throw TrainingError.notFinite(
                "a log-probability at position \(position)", step: step + 1, in: policy, valueHead, ids: [prompts[index].id],
                sequences: [prompts[index].tokens])
        }
    }

    /// Refuses rollouts whose log-probabilities or values are not finite.
    func checkFinite(_ rollouts: [Rollout]) throws {
        let kinds: [(KeyPath<Rollout, [Float]>, String, any TransformerDecoder, ValueHead?)] = [
            (\.logProbs, "a log-probability", policy, nil), (\.values, "a value", policy, valueHead),
            (\.referenceLogProbs, "a log-probability of the reference", reference, nil),
        ]
        for (path, name, decoder, head) in kinds {
            let bad = rollouts.filter { !$0[keyPath: path].allSatisfy(\.isFinite) }
            guard !bad.isEmpty else { continue }
            throw TrainingError.notFinite(
                name, step: step + 1, in: decoder, head, ids: bad.map(\.id), sequences: bad.map { $0.prompt + $0.response })
        }
    }

    /// What shorter responses are filled up with, as the original has it: an id of 0 counts as absent, and then the end stands in.
    package static func padding(_ tokenizer: any Tokenizer, _ ends: EndTokens) -> Int32 {
        tokenizer.padding.flatMap { $0 == 0 ? nil : $0 } ?? ends.closing ?? 0
    }

    /// Fills the responses of each rollout batch up to its longest. Trunk states are not known of padding.
    func pad(_ rollouts: inout [Rollout]) {
        let padding = Self.padding(tokenizer, ends)
        let size = rollouts.count / config.rolloutBatches
        for begin in stride(from: 0, to: rollouts.count, by: size) {
            let columns = rollouts[begin..<begin + size].map(\.response.count).max() ?? 0
            for i in begin..<begin + size {
                rollouts[i].length = rollouts[i].response.count
                rollouts[i].response += Array(repeating: padding, count: columns - rollouts[i].response.count)
                rollouts[i].trunk = nil
            }
        }
    }

    /// Replaces log-probabilities and values by those of a pass over whole responses.
    func predictAnew(_ rollouts: inout [Rollout]) {
        let found = predictions(of: rollouts)
        for i in rollouts.indices { (rollouts[i].logProbs, rollouts[i].values) = found[i] }
    }

    /// The current policy's log-probabilities and values of every response token.
    func predictions(of rollouts: [Rollout]) -> [(logProbs: [Float], values: [Float])] {
        var result: [(logProbs: [Float], values: [Float])] = []
        for part in Packing.parts(
            rollouts, tokensPerPass: config.tokensPerPass, length: { $0.prompt.count + $0.response.count })
        {
            let pass = pass(over: part)
            let hidden = policy.hidden(pass.target.batch, wanted: pass.target.wanted, trunk: pass.trunk)
            let logProbs = hidden.logProbs(
                policy.projection.value, targets: pass.target.targets, temperature: config.temperature,
                validTokens: tokenizer.vocabularySize
            ).logProbs.values
            let values = valueHead(hidden).values
            var first = 0
            for rollout in part {
                let range = first..<first + rollout.response.count
                result.append((Array(logProbs[range]), Array(values[range])))
                first = range.upperBound
            }
        }
        return result
    }

    package func addReferenceLogProbs(to rollouts: inout [Rollout], temperature: Float? = nil) {
        var at = 0
        for part in Packing.parts(
            rollouts, tokensPerPass: config.tokensPerPass, length: { $0.prompt.count + $0.response.count })
        {
            let pass = pass(over: part, trimming: true)
            let hidden = reference.hidden(pass.target.batch, wanted: pass.target.wanted, trunk: pass.trunk)
            let logProbs = hidden.logProbs(
                reference.projection.value, targets: pass.target.targets,
                temperature: temperature ?? config.temperature,
                validTokens: tokenizer.vocabularySize
            ).logProbs.values
            var first = 0
            for rollout in part {
                rollouts[at].referenceLogProbs = Array(logProbs[first..<first + rollout.response.count])
                first += rollout.response.count
                at += 1
            }
        }
    }

    /// From every rollout's score, log-probabilities and values to its rewards, advantages and returns.
    package func addAdvantages(to rollouts: inout [Rollout]) {
        for i in rollouts.indices {
            rollouts[i].rewards = TokenRewards.rewards(
                logProbs: rollouts[i].logProbs, referenceLogProbs: rollouts[i].referenceLogProbs,
                score: rollouts[i].score,
                klCoefficient: controller.coefficient, config: config, end: rollouts[i].length - 1)
            estimate(&rollouts[i], values: rollouts[i].values)
        }
    }

    /// Advantages and returns of one rollout from the given values.
    func estimate(_ rollout: inout Rollout, values: [Float], ratios: [Float]? = nil) {
        (rollout.advantages, rollout.returns) = Advantages.estimated(
            rewards: rollout.rewards, values: values, end: rollout.length - 1, bootstrap: values.last ?? 0,
            ratios: ratios,
            discount: config.discount, lambda: config.lambda, usesGAE: config.usesGAE)
    }

    func score(_ rollouts: [Rollout], prompts: [TokenisedPrompt]) throws -> [Double] {
        let requests = zip(rollouts, prompts).map { rollout, prompt in
            RewardRequest(
                query: prompt.query, response: tokenizer.decode(rollout.response, skippingSpecialTokens: true),
                reference: prompt.reference, promptTokens: rollout.prompt, responseTokens: rollout.response,
                trunk: rollout.trunk, trunkLayers: rollout.trunk == nil ? 0 : trunkLayers)
        }
        // a reward may depend on the width of the batch, which in the original is that of one rollout batch
        let size = config.compatibility.padsResponses ? requests.count / config.rolloutBatches : requests.count
        var scores: [Double] = []
        for begin in stride(from: 0, to: requests.count, by: size) {
            scores += try rewardFunction.rewards(for: Array(requests[begin..<begin + size]))
        }
        guard scores.count == rollouts.count else {
            throw RewardError.wrongCount(scores.count, expected: rollouts.count)
        }
        // beyond the range of floats, what they become is infinite
        guard scores.allSatisfy({ Float($0).isFinite }) else {
            let bad = zip(scores, rollouts).filter { !Float($0.0).isFinite }.map(\.1.id)
            throw TrainingError.notFinite(what: "the reward", step: step + 1, examples: bad)
        }
        return scores
    }

    /// The batch of a part of the rollouts, and their trunk states one under the other.
    func pass(over rollouts: [Rollout], trimming: Bool = false) -> (target: TargetPass, trunk: (Tensor, Int)?) {
        let target = TargetPass(rollouts.map { TokenisedExample(id: $0.id, prompt: $0.prompt, target: $0.response) })
        let states = rollouts.compactMap { rollout in
            rollout.trunk.map { trimming ? $0.rows(0..<rollout.prompt.count + rollout.response.count - 1) : $0 }
        }
        return (target, states.count == rollouts.count && trunkLayers > 0 ? (Tensor.stacked(states), trunkLayers) : nil)
    }

    /// Rows for a table of rollouts.
    func rows(of rollouts: [Rollout], prompts: [TokenisedPrompt], scores: [Double]) -> [SampleRow] {
        zip(zip(rollouts, prompts), scores).map { pair, score in
            let (rollout, prompt) = pair
            let kl = rollout.estimatedKL(config)
            return SampleRow(
                id: prompt.id, input: prompt.query,
                response: tokenizer.decode(Array(rollout.response.prefix(rollout.length)), skippingSpecialTokens: true),
                reference: prompt.reference, reward: score,
                numbers: [
                    "shaped_reward": rollout.score, "kl_div": kl, "kl_reward": -controller.coefficient * kl,
                    "kl_sequence": rollout.sequenceKL,
                    "tokens": Double(rollout.length), "ended": rollout.ended ? 1 : 0, "step": Double(step),
                    "model_version": Double(optimizer.stepCount),
                ], tokens: Array(rollout.response.prefix(rollout.length)))
        }
    }

    /// How many tokens the responses' texts have with what the tokenizer puts around a text, as the original counts responses.
    func textLengths(of rollouts: [Rollout]) -> [Int] {
        rollouts.map {
            tokenizer.encode(tokenizer.decode($0.response, skippingSpecialTokens: true), addingSpecialTokens: true).count
        }
    }

    /// The rollouts in a new order. Where learn batches stand for themselves, rollout batches stay together, as in the original.
    func shuffled(_ rollouts: [Rollout], using random: inout Philox) -> [Rollout] {
        guard config.compatibility.accumulation != .tokens, config.rolloutBatches > 1 else {
            return rollouts.shuffled(using: &random)
        }
        let size = rollouts.count / config.rolloutBatches
        let batches = stride(from: 0, to: rollouts.count, by: size).map { Array(rollouts[$0..<$0 + size]) }
        return batches.shuffled(using: &random).flatMap { $0.shuffled(using: &random) }
    }
}
