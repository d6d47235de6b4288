package import Data
import Eval
package import Models
import Tensor

// Estimates of training memory. Each trainer measures two small passes, forward and backward. No weight changes and no random
// number is drawn.

/// Runs a pass twice, so that the gradients of the first pass exist while the second makes its own, as in a step of several
/// passes.
private func twice(_ pass: () -> Void) {
    pass()
    pass()
}

extension Trainer where Method == SFTObjective {
    /// The memory of the run, estimated before the first step.
    /// - Parameters:
    ///   - generator: generates texts for the evaluation sets; nil if none are generated.
    ///   - maxNewTokens: the maximum number of tokens of a generated text.
    package func memory(generator: Generator? = nil, maxNewTokens: Int = 0) -> TrainingMemory {
        var memory = TrainingMemory(of: optimizer)
        let largest = Packing.largestPart(
            lengths: examples.map(\.count), batchSize: config.batchSize, tokensPerPass: config.tokensPerPass)
        let evaluated = objective.evaluations.flatMap(\.examples)
        memory.training = PassMemory.measured(
            examples, length: \.count, limit: largest, beyond: memory.gradients
        ) { part in
            twice {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                tape.backward(
                    from: config.promptLossWeight > 0
                        ? SFTLoss.losses(decoder, part, on: tape, validTokens: objective.validTokens).target
                        : SFTLoss.loss(decoder, part, weight: 1, on: tape, validTokens: objective.validTokens))
            }
            optimizer.clearGradients()
        }
        memory.evaluation = PassMemory.measured(evaluated, length: \.count, limit: largest) { part in
            _ = SFTLoss.mean(decoder, part, tokensPerPass: .max, validTokens: objective.validTokens)
        }
        memory.trainingTokens = largest
        memory.evaluationTokens = Packing.largestPart(
            lengths: evaluated.map(\.count), batchSize: .max, tokensPerPass: 2 * config.tokensPerPass)
        memory.count(config.loop.steps, batch: Packing.total(lengths: examples.map(\.count), batchSize: config.batchSize))
        if let generator {
            let reading = memory.evaluation
            memory.countCaches(active: generator.maxActive) { active in
                objective.evaluations.map { set in
                    generator.peakBytes(
                        prompts: set.examples.map(\.prompt.count), active: active, maxNewTokens: maxNewTokens, reading)
                }.max() ?? 0
            }
        }
        return memory
    }
}

extension Generator {
    /// The bytes of keys, values and logits, and of the pass that reads the prompts.
    /// - Parameter active: the maximum number of responses that are sampled at the same time.
    fileprivate func peakBytes(prompts: [Int], streams: Int = 1, active: Int, maxNewTokens: Int, _ pass: PassMemory) -> Int {
        var generator = self
        generator.maxActive = active
        return generator.cacheBytes(prompts: prompts, streams: streams, maxNewTokens: maxNewTokens)
            + Int(pass.perToken * Double(min(Generator.prefillTokens, prompts.reduce(0, +))))
    }
}

extension BestOfN {
    /// The memory of answering the prompts, estimated before the first pass: the weights, and as `caches` the maximum of what
    /// sampling, scoring and the KL to the reference hold.
    /// - Parameter count: the number of responses to each prompt.
    package func memory(prompts: [TokenisedPrompt], count: Int) -> TrainingMemory {
        let held = Allocator.shared.bytesInUse
        let (generator, newTokens) = (sampler.generator, sampler.options.maxNewTokens)
        let longest = prompts.map(\.tokens.count).sorted(by: >).prefix(promptsPerPass)
        let reading = PassMemory.measured(prompts, length: \.tokens.count, limit: Generator.prefillTokens) { part in
            let batch = TokenBatch(part.map(\.tokens))
            _ = generator.decoder.hidden(batch, wanted: batch.rows.map { $0.upperBound - 1..<$0.upperBound })
        }
        // scoring and the KL, which the number of active responses does not change
        var peaks: [Int] = []
        let parts = (rewardFunction as? WeightedReward)?.parts.map(\.reward) ?? [rewardFunction]
        if let judge = parts.lazy.compactMap({ $0 as? RewardModelReward }).first {
            let answer = Array(repeating: judge.endOfSequence, count: newTokens)
            let requests = prompts.map {
                RewardRequest(
                    query: $0.query, response: "", reference: $0.reference, promptTokens: $0.tokens, responseTokens: answer)
            }
            let scoring = PassMemory.measured(
                requests, length: { $0.promptTokens.count + newTokens + 1 }, limit: judge.tokensPerPass
            ) { part in
                _ = try? judge.rewards(for: part)  // the run itself will report such an error
            }
            let tokens = longest.reduce(0) { $0 + count * ($1 + newTokens + 1) }
            peaks.append(Int(scoring.bytes(tokens: min(judge.tokensPerPass, tokens))))
        }
        // texts, tokens, log-probabilities and random streams of the responses that are sampled together
        let responses = min(promptsPerPass, prompts.count) * count * (1000 + 16 * newTokens)
        if reference != nil {
            peaks.append(Int(reading.bytes(tokens: (longest.first ?? 0) + count * newTokens)))
        }
        var memory = TrainingMemory()
        memory.weights = held
        let others = peaks.max() ?? 0
        memory.countCaches(active: generator.maxActive) { active in
            responses
                + max(
                    others,
                    generator.peakBytes(prompts: Array(longest), streams: count, active: active, maxNewTokens: newTokens, reading))
        }
        return memory
    }
}

extension Trainer where Method == RewardObjective {
    /// The memory of the run, estimated before the first step.
    package func memory() -> TrainingMemory {
        var memory = TrainingMemory(of: optimizer)
        let largest = Packing.largestPart(
            lengths: examples.map(\.count), batchSize: config.batchSize, tokensPerPass: config.tokensPerPass)
        memory.training = PassMemory.measured(
            examples, length: \.count, limit: largest, beyond: memory.gradients
        ) { part in
            twice {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                let scores = RewardLoss.scores(model, part, position: config.position, on: tape)
                tape.backward(from: RewardLoss.loss(scores: scores, choices: part.map(\.choice), weight: 1))
            }
            optimizer.clearGradients()
        }
        let evaluated = objective.evaluations.flatMap(\.comparisons)
        memory.evaluation = PassMemory.measured(evaluated, length: \.count, limit: largest) { part in
            _ = RewardLoss.scores(model, part, position: config.position).values
        }
        memory.trainingTokens = largest
        memory.evaluationTokens = Packing.largestPart(
            lengths: evaluated.map(\.count), batchSize: .max, tokensPerPass: 2 * config.tokensPerPass)
        memory.count(config.loop.steps, batch: Packing.total(lengths: examples.map(\.count), batchSize: config.batchSize))
        return memory
    }
}

extension Trainer {
    /// The memory of a run, estimated before the first step, for objectives whose passes depend only on the objective.
    /// - Parameter evaluated: the examples of evaluations. Passes over them hold twice as many tokens.
    private func memory(evaluated: [Method.Example]) -> TrainingMemory {
        var memory = TrainingMemory(of: optimizer)
        let length = { [objective] in objective.tokens(of: $0) }
        let largest = Packing.largestPart(
            lengths: examples.map(length), batchSize: loop.batchSize, tokensPerPass: loop.steps.tokensPerPass)
        func pass(_ part: [Method.Example], on tape: Tape) -> Tensor? {
            // the run itself will report such an error
            try? objective.loss(of: Pass(batch: part, indices: Array(part.indices), step: 0), on: tape).loss
        }
        memory.training = PassMemory.measured(examples, length: length, limit: largest, beyond: memory.gradients) { part in
            twice {
                let tape = Tape(recomputingLayers: loop.steps.recomputesLayers)
                if let loss = pass(part, on: tape) { tape.backward(from: loss) }
            }
            optimizer.clearGradients()
        }
        memory.evaluation = memory.training
        memory.trainingTokens = largest
        memory.evaluationTokens = Packing.largestPart(
            lengths: evaluated.map(length), batchSize: .max, tokensPerPass: 2 * loop.steps.tokensPerPass)
        memory.count(loop.steps, batch: Packing.total(lengths: examples.map(length), batchSize: loop.batchSize))
        return memory
    }
}

extension Trainer where Method == PreferenceObjective {
    /// The memory of the run, estimated before the first step.
    package func memory() -> TrainingMemory { memory(evaluated: objective.evaluations.flatMap(\.pairs)) }
}

extension Trainer where Method == UnpairedObjective {
    /// The memory of the run, estimated before the first step.
    package func memory() -> TrainingMemory { memory(evaluated: objective.evaluations.flatMap(\.answers)) }
}

extension PPOTrainer {
    /// The memory of the run, estimated before the first step.
    package func memory() -> TrainingMemory {
        let optimizer = optimization.optimizer
        var memory = TrainingMemory(of: optimizer)
        let newTokens = config.sampling.maxNewTokens
        let lengths = prompts.map(\.tokens.count)
        let largest = Packing.largestPart(
            lengths: lengths.map { $0 + newTokens }, batchSize: config.learnBatchSize,
            tokensPerPass: config.tokensPerPass)
        let width = policy.shape.hiddenSize
        // a rollout with a prompt of median length stands for all
        let middle = prompts.sorted { $0.tokens.count < $1.tokens.count }[prompts.count / 2]
        var drawn = GeneratedResponse()
        let zeros = [Float](repeating: 0, count: newTokens)
        (drawn.tokens, drawn.ended) = (Array(repeating: ends.closing ?? 0, count: newTokens), true)
        (drawn.logProbs, drawn.values) = (zeros, valueHead == nil ? [] : zeros)
        var rollout = Rollout(id: middle.id, prompt: middle.tokens, response: drawn)
        (rollout.referenceLogProbs, rollout.advantages, rollout.returns) = (zeros, zeros, zeros)
        func withTrunk(_ part: [Rollout]) -> [Rollout] {
            guard sharedTrunkLayers > 0 else { return part }
            let states = Tensor.zeros([rollout.count - 1, width])
            return part.map { rollout in
                var rollout = rollout
                rollout.trunk = TrunkRows(states, rows: 0..<rollout.count - 1)
                return rollout
            }
        }
        let kept = objective.statistics
        memory.training = PassMemory.measured([rollout], length: \.count, limit: largest, beyond: memory.gradients) { part in
            let part = withTrunk(part)
            twice {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                tape.backward(from: objective.loss(of: part, on: tape))
            }
            optimizer.clearGradients()
        }
        objective.statistics = kept
        objective.entropySeen = (0, 0)
        memory.evaluation = PassMemory.measured([rollout], length: \.count, limit: largest) { part in
            var part = withTrunk(part)
            addReferenceLogProbs(to: &part)
        }
        let generator = Generator(
            policy, valueHead: valueHead, ends: ends, validTokens: tokenizer.vocabularySize, maxActive: config.maxActiveResponses)
        // the longest prompts may all occur in the same step
        let batch = Array(lengths.sorted(by: >).prefix(config.rolloutBatchSize))
        let generations = config.generations
        // further batches of a step are held besides the batches that are kept
        let sampled = batch.reduce(0) { $0 + $1 + newTokens + 1 } * generations * (config.extraBatches > 0 ? 2 : 1)
        memory.trainingTokens = largest
        memory.evaluationTokens = Packing.largestPart(
            lengths: batch.flatMap { Array(repeating: $0 + newTokens + 1, count: generations) }, batchSize: .max,
            tokensPerPass: config.tokensPerPass)
        let reading = memory.evaluation
        memory.countCaches(active: generator.maxActive) { active in
            let evaluated = evaluationPrompts.map { set in
                generator.peakBytes(prompts: set.prompts.map(\.tokens.count), active: active, maxNewTokens: newTokens, reading)
            }
            return max(
                generator.peakBytes(prompts: batch, streams: generations, active: active, maxNewTokens: newTokens, reading),
                evaluated.max() ?? 0)
        }
        memory.states = sharedTrunkLayers > 0 ? 4 * width * sampled : 0
        let learned = Packing.total(lengths: lengths.map { $0 + newTokens }, batchSize: config.learnBatchSize, repeating: generations)
        memory.count(config.steps, batch: config.learnBatches == 1 ? learned : .max)
        return memory
    }
}
