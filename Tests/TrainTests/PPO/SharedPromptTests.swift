import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Responses to one prompt, which is read once.
@Suite struct SharedPromptTests {
    /// Rollouts of a step with four responses to each of four prompts, ready to be learned from.
    private func learnable(frozen: Double, step: (inout PPOConfig) -> Void = { _ in }) throws -> (PPOTrainer, [Rollout]) {
        let setup = try GroupMethodTests.Setup(
            GroupMethodTests.config(.grpo, 2) {
                ($0.freezing.fraction, $0.entropyCost) = (frozen, 0.01)
                step(&$0)
            })
        let responses = try setup.trainer.sample(ToyData.prompts(4))
        var rollouts = setup.trainer.rollouts(of: responses, scores: responses.indices.map { Double($0 * $0 % 7) })
        for i in rollouts.indices { rollouts[i].group = i / 4 }
        setup.trainer.addReferenceLogProbs(to: &rollouts)
        setup.trainer.addRewards(to: &rollouts)
        setup.trainer.addAdvantages(to: &rollouts)
        return (setup.trainer, rollouts)
    }

    @Test("a pass over responses to one prompt has the prompt's rows once")
    func rows() throws {
        let (_, rollouts) = try learnable(frozen: 0.67)
        let group = Array(rollouts.prefix(4))
        let prompt = group[0].prompt.count
        let own = group.reduce(0) { $0 + $1.response.count }
        #expect(RolloutPass(group).targets.batch.count == prompt - 1 + own)
        #expect(RolloutPass([group[0]]).targets.batch.count == prompt + group[0].response.count - 1)
        #expect(RolloutPass(group).trunk(layers: 2)?.states.shape[0] == prompt - 1 + own)
        #expect(RolloutPass(group).trunk(layers: 0) == nil)
        #expect(RolloutPass.tokens(of: group[1], behind: group[0]) == group[1].response.count + 1)
        #expect(RolloutPass.tokens(of: rollouts[4], behind: group[0]) == rollouts[4].prompt.count + rollouts[4].response.count)
    }

    @Test("losses and gradients are those of responses that are read one by one", arguments: [0.67, 0.34, 0])
    func gradients(frozen: Double) throws {
        let (trainer, rollouts) = try learnable(frozen: frozen)
        let objective = trainer.objective
        let batch = objective.batch(of: rollouts)
        func gradients(_ parts: [[Rollout]]) -> (loss: Double, gradients: [(String, Tensor)]) {
            objective.parameters.forEach { $0.gradient = nil }
            let loss = parts.reduce(0.0) { sum, part in
                let tape = Tape()
                let loss = objective.loss(of: part, in: batch, on: tape)
                tape.backward(from: loss)
                return sum + Double(loss.item)
            }
            return (loss, objective.parameters.compactMap { parameter in parameter.gradient.map { (parameter.name, $0) } })
        }
        let (together, alone) = (gradients([rollouts]), gradients(rollouts.map { [$0] }))
        expectClose(together.loss, alone.loss, relative: 1e-5, absolute: 1e-6)
        #expect(together.gradients.count == alone.gradients.count && !alone.gradients.isEmpty)
        for ((name, a), (_, b)) in zip(together.gradients, alone.gradients) {
            expectClose(a, b, relative: 1e-4, absolute: 2e-6, label: name)
        }
    }

    @Test("log-probabilities of a reference are those of responses that are read one by one", arguments: [0.67, 0])
    func reference(frozen: Double) throws {
        let (trainer, rollouts) = try learnable(frozen: frozen)
        var alone: [[Float]] = []
        for rollout in rollouts {
            var one = [rollout]
            trainer.addReferenceLogProbs(to: &one)
            alone.append(one[0].referenceLogProbs)
        }
        for (rollout, expected) in zip(rollouts, alone) {
            expectClose(rollout.referenceLogProbs, expected, relative: 1e-5, absolute: 1e-5)
        }
    }

    @Test("shuffled responses are learned from prompt by prompt; those to different prompts stay where they are")
    func order() throws {
        let (_, rollouts) = try learnable(frozen: 0.67)
        let mixed = [9, 2, 13, 8, 3, 0, 12].map { rollouts[$0] }
        #expect(RolloutPass.grouped(mixed).map(\.group) == [2, 2, 0, 0, 0, 3, 3])
        #expect(RolloutPass.grouped(mixed).map(\.response) == [9, 8, 2, 3, 0, 13, 12].map { rollouts[$0].response })
        let apart = [12, 0, 8, 4].map { rollouts[$0] }
        #expect(RolloutPass.grouped(apart).map(\.group) == [3, 0, 2, 1])
    }
}
