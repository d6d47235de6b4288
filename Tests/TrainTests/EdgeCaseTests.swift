import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Inputs at the edge of what has a meaning: each has a defined result, and all numbers stay finite.
@Suite struct EdgeCaseTests {
    private struct Fixed: RewardFunction {
        func rewards(for requests: [RewardRequest]) throws -> [Double] { requests.map { _ in 1 } }
    }

    private func ppo(
        _ decoder: any TransformerDecoder, prompts: [TokenisedPrompt], tokenizer: NumberTokenizer = NumberTokenizer(),
        end: Int32 = 2, _ change: (inout PPOConfig) -> Void = { _ in }
    ) throws -> (PPOTrainer, EventLog) {
        var config = configured(PPOConfig()) {
            $0.totalSteps = 2
            $0.rolloutBatchSize = 4
            $0.learnBatchSize = 4
            $0.epochs = 1
            $0.sampling = SamplingOptions(maxNewTokens: 5)
            $0.klCoefficient = 0
            $0.entropyCost = 0.01
            $0.optimizer = AdamConfig(learningRate: 2e-3)
            $0.freezing = Freezing(fraction: 0.34)
            $0.logSteps = 1
            $0.seed = 4
        }
        change(&config)
        let log = EventLog()
        return (
            try PPOTrainer(
                policy: decoder, valueHead: TinyModel.head(), reference: decoder.copy(), config: config,
                prompts: prompts,
                evaluationPrompts: [("held", Array(prompts.prefix(2)))], rewardFunction: Fixed(), tokenizer: tokenizer,
                endOfSequence: end, handler: log.handler), log
        )
    }

    private func expectFinite(_ trainer: PPOTrainer, _ log: EventLog) {
        #expect((trainer.policy.parameters + (trainer.valueHead?.parameters ?? [])).allSatisfy { $0.value.nonFiniteCount == 0 })
        #expect(log.measurements.allSatisfy { $0.values.values.allSatisfy(\.isFinite) })
    }

    @Test("advantages that are all equal are normalised to zero, and so is a single one")
    func equalAdvantages() {
        #expect(Advantages.normalised([[0.5, 0.5], [0.5]]) == [[0, 0], [0]])
        #expect(Advantages.normalised([[3]]) == [[0]])
        #expect(Advantages.normalised([[]]) == [[]])
    }

    @Test("equal rewards move the policy by nothing but entropy and value")
    func equalRewards() throws {
        // one-token responses, whose value is the same for all prompts: then all advantages are equal, too
        let prompt = ToyData.prompts(1)[0]
        let prompts = (0..<4).map { index in
            var copy = prompt
            copy.id = "p\(index)"
            return copy
        }
        let (trainer, log) = try ppo(TinyModel.llama(), prompts: prompts) {
            $0.sampling.maxNewTokens = 1
            $0.entropyCost = 0
            $0.valueCost = 0
        }
        let before = Weights(trainer.policy)
        #expect(try trainer.run())
        expectFinite(trainer, log)
        #expect(before.moved(trainer.policy.parameters).isEmpty)
    }

    @Test("all rows that end with their first token")
    func endsAtOnce() throws {
        // the end is the only token that there is
        let prompts = (0..<8).map {
            TokenisedPrompt(id: "p\($0)", tokens: [0], query: "x", reference: "y", isTruncated: false)
        }
        let (trainer, log) = try ppo(
            TinyModel.llama(), prompts: prompts, tokenizer: NumberTokenizer(vocabularySize: 1), end: 0)
        #expect(try trainer.run())
        expectFinite(trainer, log)
        #expect(log.all("end_share") == [1, 1] && log.all("mean_response_tokens") == [1, 1])
        #expect(log.last("held_end_share") == 1)
    }

    @Test("rows of the vocabulary without a token are never drawn, never a target, and get no gradient")
    func unusedRows() throws {
        let decoder = try TinyModel.llama(vocabulary: 40)
        // without the limit these rows would win everywhere
        decoder.projection.value.update { for i in 24 * 16..<40 * 16 { $0[i] = 50 } }
        let before = decoder.projection.value
        let (trainer, log) = try ppo(decoder, prompts: ToyData.prompts(8)) {
            $0.freezing = Freezing(fraction: 0, freezesEmbeddings: false)
        }
        #expect(try trainer.run())
        expectFinite(trainer, log)
        let drawn = log.rows.flatMap { $0.response.split(separator: " ").map { Int($0) ?? 99 } }
        #expect(drawn.allSatisfy { $0 < 24 })
        let after = decoder.projection.value
        #expect(Array(after.values[24 * 16..<40 * 16]) == Array(before.values[24 * 16..<40 * 16]))
        #expect(Array(after.values[..<(24 * 16)]) != Array(before.values[..<(24 * 16)]))

        let supervised = try TinyModel.llama(vocabulary: 40)
        supervised.projection.value.update { for i in 24 * 16..<40 * 16 { $0[i] = 50 } }
        let losses = EventLog()
        try SFTTrainer(
            supervised,
            config: configured(SFTConfig()) {
                $0.maxSteps = 2
                $0.batchSize = 4
                $0.freezing = Freezing(fraction: 0)
            },
            examples: ToyData.examples(8), validTokens: 24, handler: losses.handler
        ).run()
        #expect(losses.losses.allSatisfy { $0 > 0 && $0 < 20 })
    }

    @Test("batches of one, of one token each")
    func batchOfOne() throws {
        let decoder = try TinyModel.llama()
        let log = EventLog()
        let examples = [TokenisedExample(id: "a", prompt: [3], target: [2])]
        var config = configured(SFTConfig()) {
            $0.maxSteps = 3
            $0.batchSize = 1
            $0.tokensPerPass = 1
            $0.optimizer = AdamConfig(learningRate: 1e-2)
            $0.freezing = Freezing(fraction: 0)
            $0.logSteps = 1
        }
        config.promptLossWeight = 0.5
        try SFTTrainer(
            decoder, config: config, examples: examples, evaluations: [("v", examples)], handler: log.handler
        ).run()
        #expect(log.losses.count == 3 && log.losses[2] < log.losses[0])

        let model = RewardModel(try TinyModel.llama(), head: TinyModel.head())
        let pair = TokenisedComparison(id: "a", prompt: [3], summaries: [[2], [4, 2]], choice: 0)
        let rewards = EventLog()
        let trainer = try RewardTrainer(
            model,
            config: configured(RewardConfig()) {
                $0.maxSteps = 3
                $0.batchSize = 1
                $0.freezing = Freezing(fraction: 0)
                $0.logSteps = 1
            },
            comparisons: [pair], evaluations: [("v", [pair])], handler: rewards.handler)
        #expect(try trainer.run())
        _ = try trainer.normalise()
        #expect(model.head.parameters.allSatisfy { $0.value.nonFiniteCount == 0 })
        #expect(rewards.measurements.allSatisfy { $0.values.values.allSatisfy(\.isFinite) })
    }

    @Test("two answers that are the same text have the same score, a loss of log 2, and do no harm")
    func equalAnswers() throws {
        let model = RewardModel(try TinyModel.llama(), head: TinyModel.head())
        let pairs = (0..<4).map {
            TokenisedComparison(id: "c\($0)", prompt: [3, 4], summaries: [[5, 2], [5, 2]], choice: $0 % 2)
        }
        let log = EventLog()
        let trainer = try RewardTrainer(
            model,
            config: configured(RewardConfig()) {
                $0.maxSteps = 2
                $0.batchSize = 4
                $0.freezing = Freezing(fraction: 0)
                $0.logSteps = 1
            },
            comparisons: pairs, evaluations: [("v", pairs)], handler: log.handler)
        #expect(try trainer.run())
        expectClose(log.losses, [0.693147180559945, 0.693147180559945], relative: 1e-6)
        // equal scores of pairs are right by half, and there is nothing to normalise by
        #expect(log.all("accuracy") == [0.5, 0.5] && log.all("v_accuracy").allSatisfy { $0 == 0.5 })
        let found = try trainer.normalise()
        #expect(found.std < 1e-6 && !found.isApplied && model.head.normalisationStd.value.item == 1)
        #expect(model.head.parameters.allSatisfy { $0.value.nonFiniteCount == 0 })
    }

    @Test("a run that may pass over no batch has no such line in its metrics")
    func nothingPassedOver() throws {
        let (trainer, log) = try ppo(TinyModel.llama(), prompts: ToyData.prompts(8))
        #expect(try trainer.run())
        #expect(try log.all("skipped_batches").isEmpty && trainer.snapshot.numbers["skipped_batches"] == nil)
    }
}
