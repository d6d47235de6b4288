import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

// What is small, not finite or does not fit.
extension PPOTrainerTests {
    private struct Fixed: RewardFunction {
        let value: (Int) -> Double
        func rewards(for requests: [RewardRequest]) throws -> [Double] { requests.indices.map(value) }
    }

    @Test("equal rewards, tiny responses and one rollout are no special case")
    func degenerate() throws {
        for change: (inout PPOConfig) -> Void in [
            { $0.sampling.maxNewTokens = 1 }, { ($0.rolloutBatchSize, $0.learnBatchSize) = (1, 1) },
            { ($0.rolloutBatchSize, $0.learnBatchSize, $0.sampling.maxNewTokens) = (1, 1, 1) },
        ] {
            let setup = try Setup(config(2, change), reward: Fixed { _ in 1 })
            #expect(try setup.trainer.run())
            #expect(setup.parameters.allSatisfy { $0.value.nonFiniteCount == 0 })
            #expect(setup.log.measurements.allSatisfy { $0.values.values.allSatisfy(\.isFinite) })
        }
    }

    @Test("numbers that are not finite stop the run before any weight changes")
    func notFinite() throws {
        let nan = try Setup(config(), reward: Fixed { $0 == 3 ? .nan : 1 })
        var before = nan.weights
        // the evaluation before the first step has five prompts: its fourth answer is already NaN, but it is only reported
        let error = #expect(throws: TrainingError.self) { try nan.trainer.run() }
        if case .notFinite(let what, let step, let examples) = error {
            #expect(what == "the reward" && step == 1 && examples.count == 1 && examples[0].hasPrefix("p"))
        } else {
            Issue.record("\(String(describing: error))")
        }
        before.expectIdentical(to: nan.weights)

        let head = TinyModel.head()
        head.weight.value.update { $0[3] = .nan }
        let values = try Setup(config(), head: head)
        before = values.weights
        #expect(throws: TrainingError.self) { try values.trainer.run() }
        before.expectIdentical(to: values.weights)
        #expect(values.parameters.gradients.isEmpty)

        let policy = try TinyModel.llama()
        policy.parameters(ofLayer: 2)[0].value.update { $0[0] = .nan }
        let logits = try Setup(config(), policy: policy)
        before = logits.weights
        let unread = #expect(throws: TrainingError.self) { try logits.trainer.run() }
        #expect("\(unread as Any)".contains("the weight model.layers.2.input_layernorm.weight"))
        before.expectIdentical(to: logits.weights)

        let reference = try TinyModel.llama()
        reference.parameters(ofLayer: 2)[0].value.update { $0[0] = .nan }
        let other = try Setup(config(), reference: reference)
        before = other.weights
        #expect(throws: TrainingError.self) { try other.trainer.run() }
        before.expectIdentical(to: other.weights)
    }

    @Test("too few prompts and prompts without room are refused")
    func refusals() throws {
        #expect(throws: TrainingError.self) {
            _ = try Setup(config { ($0.rolloutBatchSize, $0.learnBatchSize) = (21, 21) })
        }
        // the longest prompts have 9 tokens: 9 + 9 + 1 fit into 19
        _ = try Setup(config(), policy: TinyModel.llama(context: 19))
        #expect(throws: TrainingError.exampleTooLong(id: "p7", tokens: 9, limit: 8)) {
            _ = try Setup(config(), policy: TinyModel.llama(context: 18))
        }
        #expect(throws: TrainingError.exampleTooLong(id: "p7", tokens: 9, limit: 8)) {
            _ = try Setup(config(), reference: TinyModel.llama(context: 18))
        }
        let error = TrainingError.exampleTooLong(id: "p7", tokens: 9, limit: 8)
        #expect(error.description.contains("p7") && !error.description.contains("\n"))
    }
}
