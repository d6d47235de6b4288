import Foundation
import Models
import Testing
import Train
import _TestSupport

/// Settings: defaults, and the short ways to those of the loop.
@Suite struct ConfigTests {
    @Test("settings of the loop and its steps are one and the same by their short and their long names")
    func shortNames() throws {
        var supervised = SFTConfig()
        supervised.loop.epochs = 2
        #expect(supervised.epochs == 2)
        supervised.seed = 7
        #expect(supervised.loop.steps.seed == 7 && supervised.loop.seed == 7)
        var reward = RewardConfig()
        reward.optimizer.learningRate = 1e-3
        #expect(reward.loop.steps.optimizer.learningRate == 1e-3)
        var policy = PPOConfig()
        policy.logSteps = 3
        #expect(policy.steps.logSteps == 3)
    }

    @Test("the defaults are those of the paper's code")
    func defaults() {
        let supervised = SFTConfig()
        #expect(supervised.loop == LoopConfig())
        #expect((supervised.epochs, supervised.batchSize, supervised.seed, supervised.logSteps) == (1, 16, 42, 25))
        #expect(supervised.optimizer == AdamConfig(learningRate: 5e-5) && supervised.schedule == Schedule())
        #expect(RewardConfig().batchSize == 8 && RewardConfig().normalisationPairs == 500)
        let policy = PPOConfig()
        #expect((policy.totalSteps, policy.rolloutBatchSize, policy.learnBatchSize, policy.epochs) == (500, 16, 16, 4))
        #expect((policy.seed, policy.logSteps, policy.tableLogs, policy.sampling.maxNewTokens) == (600, 5, 10, 48))
        #expect(policy.optimizer == AdamConfig(learningRate: 1e-4, clipNorm: nil) && policy.schedule == Schedule(.linear))
        let adam = AdamConfig(learningRate: 1)
        #expect((adam.beta1, adam.beta2, adam.epsilon, adam.weightDecay) == (0.9, 0.999, 1e-8, 0) && adam.clipNorm == 1)
        #expect(PPOConfig.LengthPenalty() == PPOConfig.LengthPenalty(coefficient: 0.1, power: 5))
    }

    @Test("settings read back from JSON as they were written")
    func coding() throws {
        func again<Settings: Codable>(_ settings: Settings) throws -> Settings {
            try JSONDecoder().decode(Settings.self, from: JSONEncoder().encode(settings))
        }
        var supervised = SFTConfig()
        (supervised.maxSteps, supervised.freezing) = (3, Freezing(fraction: 0.25))
        #expect(try again(supervised) == supervised)
        var reward = RewardConfig()
        reward.position = .paddingCount(padding: 2)
        #expect(try again(reward) == reward)
    }
}
