import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// What fails on one rank ends all of them, or is skipped by all of them.
@Suite struct RankFailureTests {
    private static func config(_ steps: Int = 6) -> SFTConfig {
        configured(SFTConfig()) {
            $0.maxSteps = steps
            $0.batchSize = 8
            $0.optimizer = AdamConfig(learningRate: 3e-3)
            $0.freezing = Freezing(fraction: 0.4)
            $0.logSteps = 2
            $0.seed = 5
        }
    }

    /// Examples of which one has a token whose embedding is not finite.
    private static func poisoned(_ count: Int) -> [TokenisedExample] {
        func clean(_ tokens: [Int32]) -> [Int32] { tokens.map { $0 == 23 ? 22 : $0 } }
        return ToyData.examples(count).enumerated().map { index, example in
            TokenisedExample(id: example.id, prompt: index == 5 ? [23] : clean(example.prompt), target: clean(example.target))
        }
    }

    private static func poisonedModel() throws -> Llama {
        let decoder = try TinyModel.llama()
        decoder.embeddingParameters[0].value.update { $0[23 * 16] = .nan }
        return decoder
    }

    @Test("NaN on one rank: all ranks throw the same error, with the rank and the example, and no weight changes", arguments: [2, 3])
    func notFinite(ranks: Int) throws {
        let results = ThreadCollective.results(ranks) { group in
            let decoder = try Self.poisonedModel()
            let before = Weights(decoder)
            let trainer = try SFTTrainer(decoder, config: Self.config(), examples: Self.poisoned(8), collective: group)
            let error = #expect(throws: TrainingError.self) { try trainer.run() }
            before.expectIdentical(to: Weights(decoder))
            #expect(decoder.parameters.gradients.isEmpty && trainer.step == 0)
            return error
        }
        let errors = try results.map { try $0.get() }
        let first = try #require(errors[0])
        #expect(errors.allSatisfy { $0 == first })
        guard case .notFinite(let what, let step, let examples) = first else {
            Issue.record("\(first)")
            return
        }
        #expect(what.hasPrefix("the loss (first seen in the weight model.embed_tokens.weight) on rank ") && step == 1 && examples == ["e5"])
    }

    @Test("batches with NaN are skipped by all ranks, as in one process")
    func skipping() throws {
        var config = Self.config(8)
        (config.skippedBatches, config.batchSize) = (4, 4)
        let allowed = config
        func trained(_ ranks: Int) throws -> [(EventLog, Weights)] {
            try ThreadCollective.run(ranks) { group in
                let decoder = try Self.poisonedModel()
                let log = EventLog()
                try SFTTrainer(decoder, config: allowed, examples: Self.poisoned(16), collective: group, handler: log.handler).run()
                return (log, Weights(decoder))
            }
        }
        let one = try trained(1)[0]
        #expect(one.0.last("skipped_batches") == 2)
        for (log, _) in try trained(3) {
            #expect(log.notes.count == 2 && log.last("skipped_batches") == 2)
            expectClose(log.losses, one.0.losses, relative: 1e-5, absolute: 0)
        }
    }

    @Test("a gradient that is not finite only in the sum is an error of all ranks")
    func gradients() throws {
        let results = ThreadCollective.results(2) { group in
            let parameter = Parameter("w", .zeros([2]))
            let adam = Adam([parameter], config: AdamConfig(), collective: group)
            parameter.gradient = Tensor([3e38, 0], shape: [2])
            try adam.step(learningRate: 1, examples: ["a"])
        }
        for result in results {
            #expect(throws: TrainingError.notFinite(what: "the gradient of w", step: 1, examples: ["a"])) { try result.get() }
        }
    }

    @Test("an error that a handler throws on one rank ends all; the others name the rank", arguments: [0, 1])
    func handler(broken: Int) throws {
        let results = ThreadCollective.results(3) { group in
            let trainer = try SFTTrainer(
                TinyModel.llama(), config: Self.config(), examples: ToyData.examples(20), collective: group,
                handler: { event in
                    if case .progressed(2, _, _, _) = event, group.rank == broken { throw DiskFull() }
                })
            defer { #expect(trainer.step == 2) }
            try trainer.run()
        }
        expectDiskFull(onRank: broken, results)
    }

    @Test("a checkpoint that cannot be written on rank 0 ends all ranks")
    func checkpoint() throws {
        let results = ThreadCollective.results(2) { group in
            let trainer = try SFTTrainer(TinyModel.llama(), config: Self.config(), examples: ToyData.examples(20), collective: group)
            try trainer.run(
                checkpoint: {
                    _ = try $0.snapshot
                    if group.rank == 0 { throw DiskFull() }
                }, shouldSave: { trainer.step == 3 })
        }
        expectDiskFull(onRank: 0, results)
    }

    @Test("a stop that one rank asks for stops all after the same step")
    func stop() throws {
        let steps = try ThreadCollective.run(3) { group in
            let trainer = try SFTTrainer(TinyModel.llama(), config: Self.config(), examples: ToyData.examples(20), collective: group)
            var saved = 0
            let complete = try trainer.run(
                checkpoint: { saved = try $0.snapshot.step }, shouldStop: { group.rank == 1 && trainer.step == 3 })
            #expect(!complete)
            return [trainer.step, saved]
        }
        #expect(steps == Array(repeating: [3, 3], count: 3))
    }

    @Test("ranks with other settings, data or weights are refused before the first step")
    func differences() throws {
        func expect(_ what: String, _ change: @escaping @Sendable (inout SFTConfig, inout Int, inout UInt64) -> Void) {
            let results = ThreadCollective.results(3) { group in
                var (config, count, seed) = (Self.config(), 20, UInt64(1))
                if group.rank == 2 { change(&config, &count, &seed) }
                let trainer = try SFTTrainer(
                    TinyModel.llama(seed: seed), config: config, examples: ToyData.examples(count), collective: group)
                try trainer.run()
            }
            for result in results {
                #expect(throws: CollectiveError.rankDiffers(rank: 2, what: what)) { try result.get() }
            }
        }
        expect("the setting of the training loop, or the checkpoint,") { config, _, _ in config.optimizer.learningRate = 1 }
        expect("the training set") { _, count, _ in count = 19 }
        expect("the model") { _, _, seed in seed = 2 }
    }

    @Test("a snapshot that fits no rank is refused by all")
    func snapshot() throws {
        let results = ThreadCollective.results(2) { group in
            let trainer = try SFTTrainer(TinyModel.llama(), config: Self.config(), examples: ToyData.examples(20), collective: group)
            var snapshot = try trainer.snapshot
            snapshot.optimizer.tensors = [:]
            try trainer.restore(snapshot)
        }
        #expect(throws: TrainingError.self) { try results[0].get() }
        let error = #expect(throws: CollectiveError.self) { try results[1].get() }
        #expect(error?.description.hasPrefix("rank 0 failed: the saved state does not match this run") ?? false)
    }
}
