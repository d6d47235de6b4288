import Data
import Models
import Testing
import Train
import _TestSupport

/// Reward models, preferences and evaluations with several ranks against one process.
@Suite struct ParallelMethodTests {
    private static func loop(_ loop: inout LoopConfig) {
        loop.maxSteps = 6
        loop.batchSize = 5
        loop.steps.tokensPerPass = 1
        loop.steps.optimizer = AdamConfig(learningRate: 1e-3)
        loop.steps.logSteps = 2
        loop.steps.evaluationSteps = 3
        loop.steps.seed = 5
    }

    /// Runs a training on 1, 2 and 3 ranks and compares what the handler sees.
    private static func compare(_ run: @escaping @Sendable (ThreadCollective, @escaping TrainingEventHandler) throws -> Void) throws {
        func logs(_ ranks: Int) throws -> [EventLog] {
            try ThreadCollective.run(ranks) { group in
                let log = EventLog()
                try run(group, log.handler)
                return log
            }
        }
        let one = try logs(1)[0]
        #expect(one.losses.count == 6)
        for ranks in 2...3 {
            for log in try logs(ranks) {
                expectClose(log.losses, one.losses, relative: 1e-5, absolute: 0, label: "losses of \(ranks) ranks")
                log.expectMeasurements(closeTo: one, relative: 1e-4, absolute: 1e-5, label: ", \(ranks) ranks")
            }
        }
    }

    @Test("means of batch means in evaluations")
    func batchMeans() throws {
        try Self.compare { group, handler in
            var config = SFTConfig()
            Self.loop(&config.loop)
            (config.freezing, config.evaluationBatchSize) = (Freezing(fraction: 0.4), 3)
            try SFTTrainer(
                TinyModel.llama(), config: config, examples: ToyData.examples(12), evaluations: [("v", ToyData.examples(7, seed: 9))],
                collective: group, handler: handler
            ).run()
        }
    }

    @Test("reward models")
    func reward() throws {
        try Self.compare { group, handler in
            var config = RewardConfig()
            Self.loop(&config.loop)
            config.freezing = Freezing(fraction: 0.4)
            let model = RewardModel(try TinyModel.llama(), head: TinyModel.head())
            try RewardTrainer(
                model, config: config, comparisons: ToyData.comparisons(12), evaluations: [("v", ToyData.comparisons(4, seed: 9))],
                collective: group, handler: handler
            ).run()
        }
    }

    @Test("preferences of pairs")
    func pairs() throws {
        try Self.compare { group, handler in
            var config = PreferenceConfig()
            Self.loop(&config.loop)
            config.freezing = Freezing(fraction: 0.4)
            let policy = try TinyModel.llama()
            let reference = ReferenceLogProbs(policy.copy(), config: config)
            try PreferenceTrainer(
                policy, config: config, pairs: reference.pairs(ToyData.comparisons(12)),
                evaluations: [("v", reference.pairs(ToyData.comparisons(4, seed: 9)))], collective: group, handler: handler
            ).run()
        }
    }

    @Test("preferences of single answers")
    func answers() throws {
        try Self.compare { group, handler in
            var config = UnpairedConfig()
            Self.loop(&config.loop)
            config.freezing = Freezing(fraction: 0.4)
            let policy = try TinyModel.llama()
            let reference = UnpairedReference(policy.copy(), config: config)
            func answers(_ comparisons: [TokenisedComparison]) throws -> [UnpairedAnswer] {
                try reference.answers(UnpairedAnswer.answers(of: comparisons))
            }
            try UnpairedTrainer(
                policy, config: config, answers: answers(ToyData.comparisons(12)),
                evaluations: [("v", answers(ToyData.comparisons(4, seed: 9)))], collective: group, handler: handler
            ).run()
        }
    }
}
