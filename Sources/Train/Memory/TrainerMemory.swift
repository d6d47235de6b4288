import Data
package import Models
import Tensor

// Each trainer measures two small passes of its own, forwards and backwards. No weight changes, and no random number is drawn.

/// Runs a pass twice: the gradients of the first are there while the second makes its own, as in a step of several passes.
private func twice(_ pass: () -> Void) {
    pass()
    pass()
}

extension SFTTrainer {
    /// The memory that the run takes, estimated before the first step.
    /// - Parameter generator: writes texts for the evaluation sets, where that is wanted.
    package func memory(generator: Generator? = nil, maxNewTokens: Int = 0) -> TrainingMemory {
        let memory = optimizer.memory
        let held = Allocator.shared.bytesInUse + optimizer.mappedBytes
        let largest = Packing.largestPart(
            lengths: examples.map(\.count), batchSize: config.batchSize, tokensPerPass: config.tokensPerPass)
        let evaluated = evaluations.flatMap(\.examples)
        let training = PassMemory.measured(
            examples, length: \.count, limit: largest, beyond: memory.gradients
        ) { part in
            twice {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                tape.backward(
                    from: config.promptLossWeight > 0
                        ? SFTLoss.losses(decoder, part, on: tape, validTokens: validTokens).target
                        : SFTLoss.loss(decoder, part, weight: 1, on: tape, validTokens: validTokens))
            }
            optimizer.clearGradients()
        }
        let evaluation = PassMemory.measured(evaluated, length: \.count, limit: largest) { part in
            _ = SFTLoss.mean(decoder, part, tokensPerPass: .max, validTokens: validTokens)
        }
        return TrainingMemory(
            weights: held - memory.moments, optimizer: memory.moments, gradients: memory.gradients,
            training: training, evaluation: evaluation, trainingTokens: largest,
            evaluationTokens: Packing.largestPart(
                lengths: evaluated.map(\.count), batchSize: .max, tokensPerPass: 2 * config.tokensPerPass),
            caches: generator.map { generator in
                evaluations.map { set in
                    generator.peakBytes(
                        prompts: set.examples.map(\.prompt.count), maxNewTokens: maxNewTokens, evaluation)
                }.max() ?? 0
            } ?? 0, states: 0)
    }
}

extension Generator {
    /// Keys, values, logits, and the pass over the prompts that come first.
    fileprivate func peakBytes(prompts: [Int], maxNewTokens: Int, _ pass: PassMemory) -> Int {
        cacheBytes(prompts: prompts, maxNewTokens: maxNewTokens)
            + Int(pass.perToken * Double(min(Generator.prefillTokens, prompts.reduce(0, +))))
    }
}

extension RewardTrainer {
    /// The memory that the run takes, estimated before the first step.
    package func memory() -> TrainingMemory {
        let memory = optimizer.memory
        let held = Allocator.shared.bytesInUse + optimizer.mappedBytes
        let largest = Packing.largestPart(
            lengths: comparisons.map(\.count), batchSize: config.batchSize, tokensPerPass: config.tokensPerPass)
        let training = PassMemory.measured(
            comparisons, length: \.count, limit: largest, beyond: memory.gradients
        ) { part in
            twice {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                let scores = RewardLoss.scores(model, part, position: config.position, on: tape)
                tape.backward(from: RewardLoss.loss(scores: scores, choices: part.map(\.choice), weight: 1))
            }
            optimizer.clearGradients()
        }
        let evaluated = evaluations.flatMap(\.comparisons)
        let evaluation = PassMemory.measured(evaluated, length: \.count, limit: largest) { part in
            _ = RewardLoss.scores(model, part, position: config.position).values
        }
        return TrainingMemory(
            weights: held - memory.moments, optimizer: memory.moments, gradients: memory.gradients,
            training: training, evaluation: evaluation, trainingTokens: largest,
            evaluationTokens: Packing.largestPart(
                lengths: evaluated.map(\.count), batchSize: .max, tokensPerPass: 2 * config.tokensPerPass),
            caches: 0, states: 0)
    }
}

extension PPOTrainer {
    /// The memory that the run takes, estimated before the first step.
    package func memory() -> TrainingMemory {
        let memory = optimizer.memory
        let held = Allocator.shared.bytesInUse + optimizer.mappedBytes
        let newTokens = config.sampling.maxNewTokens
        let lengths = prompts.map(\.tokens.count)
        let largest = Packing.largestPart(
            lengths: lengths.map { $0 + newTokens }, batchSize: config.learnBatchSize,
            tokensPerPass: config.tokensPerPass)
        let width = policy.shape.hiddenSize
        // one of middle length stands for all
        let middle = prompts.sorted { $0.tokens.count < $1.tokens.count }[prompts.count / 2]
        let rollouts = [middle].map { prompt in
            let zeros = [Float](repeating: 0, count: newTokens)
            var rollout = Rollout(
                id: prompt.id, prompt: prompt.tokens, response: Array(repeating: endOfSequence, count: newTokens),
                ended: true, logProbs: zeros, referenceLogProbs: zeros, values: zeros)
            (rollout.advantages, rollout.returns) = (zeros, zeros)
            return rollout
        }
        let length = { (rollout: Rollout) in rollout.prompt.count + rollout.response.count }
        func withTrunk(_ part: [Rollout]) -> [Rollout] {
            guard sharedTrunkLayers > 0 else { return part }
            return part.map { rollout in
                var rollout = rollout
                rollout.trunk = .zeros([length(rollout) - 1, width])
                return rollout
            }
        }
        let kept = statistics
        let training = PassMemory.measured(rollouts, length: length, limit: largest, beyond: memory.gradients) { part in
            let part = withTrunk(part)
            twice {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                tape.backward(from: loss(part, tokens: part.count * newTokens, on: tape))
            }
            optimizer.clearGradients()
        }
        statistics = kept
        let evaluation = PassMemory.measured(rollouts, length: length, limit: largest) { part in
            var part = withTrunk(part)
            addReferenceLogProbs(to: &part)
        }
        let generator = Generator(
            policy, valueHead: valueHead, endOfSequence: endOfSequence, validTokens: tokenizer.vocabularySize)
        // the longest prompts of one step, which may come together
        let batch = Array(lengths.sorted(by: >).prefix(config.rolloutBatchSize))
        let sampled = batch.reduce(0) { $0 + $1 + newTokens + 1 }
        let evaluated = evaluationPrompts.map { set in
            generator.peakBytes(prompts: set.prompts.map(\.tokens.count), maxNewTokens: newTokens, evaluation)
        }
        return TrainingMemory(
            weights: held - memory.moments, optimizer: memory.moments, gradients: memory.gradients,
            training: training, evaluation: evaluation, trainingTokens: largest,
            evaluationTokens: Packing.largestPart(
                lengths: batch.map { $0 + newTokens + 1 }, batchSize: .max, tokensPerPass: config.tokensPerPass),
            caches: max(generator.peakBytes(prompts: batch, maxNewTokens: newTokens, evaluation), evaluated.max() ?? 0),
            states: sharedTrunkLayers > 0 ? 4 * width * sampled : 0)
    }
}
