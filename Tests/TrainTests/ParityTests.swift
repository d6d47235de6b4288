import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Losses, gradients and optimiser steps of tiny models of every family against PyTorch.
@Suite struct ParityTests {
    @Test("supervised loss and every gradient", arguments: ModelFixture.all)
    func supervised(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let tape = Tape()
        let loss = SFTLoss.loss(
            fixture.decoder, fixture.examples, weight: 1 / Float(fixture.expected.trainedTokens), on: tape)
        expectClose([loss.item], [fixture.expected.loss], relative: 1e-5, absolute: 0)
        tape.backward(from: loss)
        expectGradients(fixture.decoder.parameters.gradients, fixture.gradients("gradients."), name)
        expectClose(
            [SFTLoss.mean(fixture.decoder, fixture.examples, tokensPerPass: 20)], [fixture.expected.loss], relative: 1e-5,
            absolute: 0)
    }

    @Test("ten steps of AdamW through the trainer", arguments: ModelFixture.all)
    func trajectory(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let config = configured(SFTConfig()) {
            $0.maxSteps = 10
            $0.batchSize = 3
            $0.optimizer = configured(AdamConfig(learningRate: 1e-3, clipNorm: nil)) { $0.weightDecay = 0.01 }
            $0.schedule = Schedule(.constant)
            $0.freezing = Freezing(fraction: 0)
            $0.dropsOut = false
        }
        let log = EventLog()
        try SFTTrainer(fixture.decoder, config: config, examples: fixture.examples, handler: log.handler).run()
        expectClose(log.losses, fixture.expected.adamWLosses, relative: 0, absolute: 1e-4)
    }

    @Test("pair loss, scores and every gradient; prompts shared and apart", arguments: ModelFixture.all, [4, 1, 0])
    func reward(_ name: String, shared: Int) throws {
        let fixture = try ModelFixture(name)
        let model = RewardModel(fixture.decoder, head: fixture.head)
        let comparisons = fixture.comparisons(shared: shared)
        let tape = Tape()
        let scores = RewardLoss.scores(model, comparisons, on: tape)
        expectClose(scores.values, fixture.expected.reward.scores.flatMap { $0 }, relative: 1e-5, absolute: 2e-6, label: name)
        let loss = RewardLoss.loss(scores: scores, choices: comparisons.map(\.choice), weight: 0.5)
        expectClose([loss.item], [fixture.expected.reward.loss], relative: 1e-5, absolute: 0)
        tape.backward(from: loss)
        expectGradients(
            (fixture.decoder.parameters + fixture.head.parameters).gradients, fixture.gradients("reward.gradients."), name)
        let evaluation = RewardEvaluation(of: model, comparisons)
        expectClose([evaluation.loss], [fixture.expected.reward.loss], relative: 1e-5, absolute: 0)
    }
}
