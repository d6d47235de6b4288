import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Learn batches smaller than the rollout batch against PyTorch; see Tests/Fixtures/ppo/make_small.py.
@Suite struct SmallLearnBatchTests {
    struct Case: Decodable {
        struct Step: Decodable {
            let policyLoss, valueLoss, entropyLoss, advantages, deviation, gradientNorm: Double
            let normalised: [[Double]]
        }
        let batches: [[Int]]
        let steps: [Step]
    }

    @Test(
        "advantages, losses, norms and weights, learn batch by learn batch", arguments: ["reference", "accumulated", "global", "sane"],
        [4096, 1])
    func steps(_ name: String, tokensPerPass: Int) throws {
        let item = try #require(try Fixtures.json([String: Case].self, from: "ppo/small.json")[name])
        let fixture = try PPOFixture.load()
        let whole = name == "sane" ? "sane" : "reference"
        var config = try fixture.config(whole, tokensPerPass: tokensPerPass)
        config.learnBatches = name == "accumulated" ? 2 : 1
        config.learnBatchSize = 2 * config.learnBatches
        config.normalisesOverRun = name == "global"
        config.epochs = 2
        let learner = try PPOFixture.policy("learner", of: whole)
        let trainer = try fixture.trainer(learner, config, of: whole)
        var rollouts = fixture.rollouts(try #require(fixture.cases[whole]), config: config)
        trainer.addReferenceLogProbs(to: &rollouts)
        trainer.addRewards(to: &rollouts)
        trainer.addAdvantages(to: &rollouts)

        for (index, (batch, step)) in zip(item.batches, item.steps).enumerated() {
            let rows = batch.map { rollouts[$0] }
            if name != "global" {
                // what the run so far has seen is moved by asking
                let size = rows.count / config.learnBatches
                for (place, expected) in step.normalised.enumerated() {
                    let found = try trainer.prepared(Array(rows[place * size..<(place + 1) * size])).flatMap(\.advantages)
                    expectClose(found, expected, relative: 1e-4, absolute: 3e-5, label: "advantages \(index) \(place)")
                }
            }
            try trainer.learn(rows)
            let found = trainer.takeStatistics()
            for (key, value) in [
                "policy_loss": step.policyLoss, "baseline_loss": step.valueLoss, "entropy_loss": step.entropyLoss,
                "gradient_norm": step.gradientNorm, "sample_advantages": step.advantages, "sample_advantages_std": step.deviation,
            ] {
                expectClose([try #require(found[key])], [value], relative: 1e-4, absolute: 3e-6, label: "\(key) \(index)")
            }
        }
        let expected = try Fixtures.safetensors("ppo/small.safetensors")
        for parameter in learner.decoder.parameters + learner.head.parameters where parameter.isTrainable {
            expectClose(
                parameter.value, try #require(expected["\(name)/\(parameter.name)"]).tensor, relative: 1e-5, absolute: 1e-5,
                label: parameter.name)
        }
    }
}
