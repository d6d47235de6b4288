import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Supervised fine-tuning with several ranks against one process.
@Suite struct DataParallelTests {
    private static func config(_ steps: Int = 20) -> SFTConfig {
        configured(SFTConfig()) {
            $0.maxSteps = steps
            $0.batchSize = 8
            $0.optimizer = AdamConfig(learningRate: 1e-3)
            $0.optimizer.weightDecay = 0.01
            $0.schedule = Schedule(.cosine, warmupSteps: 2)
            $0.freezing = Freezing(fraction: 0.4, freezesEmbeddings: false)
            $0.logSteps = 3
            $0.evaluationSteps = 4
            $0.seed = 5
        }
    }

    /// Trains a model of a family on each rank, from a snapshot and weights if they are given.
    private static func train(
        _ ranks: Int, _ config: SFTConfig, family: String = "llama", examples: [TokenisedExample] = ToyData.examples(20),
        from saved: RankOutcome? = nil, stop: Int? = nil
    ) throws -> [RankOutcome] {
        let start = ReadOnly(value: saved)
        return try ThreadCollective.run(ranks) { group in
            let decoder = try TinyModel.make(family)
            let log = EventLog()
            let trainer = try SFTTrainer(
                decoder, config: config, examples: examples, evaluations: [("v", ToyData.examples(4, seed: 9))], collective: group,
                handler: log.handler)
            if let saved = start.value, let snapshot = saved.snapshot {
                for (parameter, value) in zip(decoder.parameters, saved.weights.values) { parameter.value = value }
                try trainer.restore(snapshot)
            }
            var outcome = RankOutcome(weights: Weights(decoder), log: log)
            outcome.complete = try trainer.run(
                checkpoint: { outcome.snapshot = try $0.snapshot }, shouldStop: { trainer.step == stop })
            outcome.weights = Weights(decoder)
            return outcome
        }
    }

    private static func expectClose(_ found: EventLog, _ expected: EventLog, relative: Double) {
        _TestSupport.expectClose(found.losses, expected.losses, relative: relative, absolute: 0, label: "losses")
        found.expectMeasurements(closeTo: expected, relative: 10 * relative, absolute: 1e-9)
    }

    @Test("losses, metrics and weights are those of one process up to rounding", arguments: [2, 3])
    func equalsOneProcess(ranks: Int) throws {
        var config = Self.config()
        // the loss of each example is then a sum over the same tokens in all runs
        config.tokensPerPass = 1
        let one = try Self.train(1, config)[0]
        for rank in try Self.train(ranks, config) {
            Self.expectClose(rank.log, one.log, relative: 1e-6)
            rank.weights.expectClose(to: one.weights, absolute: 2e-5)
            #expect(rank.log.steps == Array(1...20) && rank.log.stages == ["sft"] && rank.complete)
        }
    }

    @Test("a group of one rank has the bits of a trainer without a group")
    func oneRank() throws {
        let decoder = try TinyModel.llama()
        let log = EventLog()
        try Compute.$threads.withValue(1) {
            try SFTTrainer(
                decoder, config: Self.config(), examples: ToyData.examples(20), evaluations: [("v", ToyData.examples(4, seed: 9))],
                handler: log.handler
            ).run()
        }
        let one = try Self.train(1, Self.config())[0]
        one.weights.expectIdentical(to: Weights(decoder))
        #expect(one.log.measurements == log.measurements && one.log.losses == log.losses)
    }

    @Test("the same number of ranks has the same bits, on every rank", arguments: [2, 3])
    func repeatable(ranks: Int) throws {
        let config = Self.config(8)
        let first = try Self.train(ranks, config)
        for outcome in try first + Self.train(ranks, config) { outcome.expectIdentical(to: first[0]) }
    }

    @Test("dropout masks do not depend on the number of ranks")
    func dropout() throws {
        var config = Self.config(6)
        config.tokensPerPass = 1
        let one = try Self.train(1, config, family: "gpt2")[0]
        for rank in try Self.train(3, config, family: "gpt2") {
            _TestSupport.expectClose(rank.log.losses, one.log.losses, relative: 1e-5, absolute: 0)
        }
        config.dropsOut = false
        let plain = try Self.train(1, config, family: "gpt2")[0]
        #expect(zip(one.log.losses, plain.log.losses).allSatisfy { abs($0 - $1) > 1e-4 })
    }

    @Test("more ranks than rows")
    func manyRanks() throws {
        var config = Self.config(4)
        config.batchSize = 2
        let one = try Self.train(1, config)[0]
        for rank in try Self.train(4, config) { Self.expectClose(rank.log, one.log, relative: 1e-5) }
    }

    @Test("a checkpoint of two ranks resumes with one, two and three", arguments: [1, 2, 3])
    func resume(ranks: Int) throws {
        let config = Self.config(8)
        let whole = try Self.train(2, config)[0]
        let stopped = try Self.train(2, config, stop: 3)
        // it holds what one process saves
        let (snapshot, one) = try stopped.snapshot(at: 3, like: Self.train(1, config, stop: 3)[0])
        #expect(snapshot.order == one.order)
        for (name, tensor) in one.optimizer.tensors {
            guard let found = snapshot.optimizer.tensors[name] else { continue }
            _TestSupport.expectClose(found, tensor, relative: 1e-3, absolute: 1e-6, label: name)
        }
        for rank in try Self.train(ranks, config, from: stopped[0]) {
            #expect(rank.complete && rank.log.steps == Array(4...8))
            if ranks == 2 {
                rank.weights.expectIdentical(to: whole.weights)
                #expect(rank.log.losses == Array(whole.log.losses.dropFirst(3)))
            } else {
                rank.weights.expectClose(to: whole.weights, absolute: 2e-5)
                _TestSupport.expectClose(rank.log.losses, Array(whole.log.losses.dropFirst(3)), relative: 1e-5)
            }
        }
    }
}
