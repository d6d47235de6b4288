import Data
import Formats
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Training of adapters: what moves, what the optimiser holds, and runs that are cut or resumed.
@Suite struct AdapterTrainingTests {
    private static func config(tokensPerPass: Int = 10_000, recomputes: Bool = false) -> SFTConfig {
        configured(SFTConfig()) {
            $0.maxSteps = 6
            $0.batchSize = 6
            $0.tokensPerPass = tokensPerPass
            $0.optimizer = AdamConfig(learningRate: 2e-2)
            $0.freezing = Freezing(fraction: 0.34)
            $0.recomputesLayers = recomputes
            $0.logSteps = 1
        }
    }

    private static func policy(_ base: any TransformerDecoder, dropout: Double = 0.1) throws -> any TransformerDecoder {
        let layers = Array(Freezing(fraction: 0.34).trainedLayers(of: base.shape))
        return try base.adapted(
            by: AdapterConfiguration(rank: 2, alpha: 8, dropout: dropout, layers: layers), base: "/models/tiny", using: Philox(seed: 5))
    }

    private static func losses(_ decoder: any TransformerDecoder, _ config: SFTConfig) throws -> [Double] {
        let log = EventLog()
        try SFTTrainer(decoder, config: config, examples: ToyData.examples(20), handler: log.handler).run()
        return log.losses
    }

    @Test("the adapter alone moves and has moments", arguments: ["llama", "opt", "gpt2"])
    func moved(family: String) throws {
        let base = try TinyModel.make(family)
        let decoder = try Self.policy(base)
        let log = EventLog()
        let trainer = try SFTTrainer(decoder, config: Self.config(), examples: ToyData.examples(20), handler: log.handler)
        #expect(decoder.frozenTrunk == 1)
        let before = try #require(decoder.adapter).parameters.map(\.value)
        try trainer.run()
        let adapter = try #require(decoder.adapter)
        for (new, old) in zip(adapter.parameters, before) { #expect(!new.value.isIdentical(to: old), "\(new.name)") }
        for (new, old) in zip(decoder.withoutAdapter().parameters, base.parameters) {
            #expect(new.value.sharesMemory(with: old.value), "\(new.name)")
        }
        #expect(
            Set(trainer.snapshot.optimizer.tensors.keys)
                == Set(adapter.parameters.flatMap { ["first.\($0.name)", "second.\($0.name)"] }))
        #expect(try #require(log.losses.last) < log.losses[0])
    }

    @Test("neither passes nor recomputation change what is dropped", arguments: ["llama", "opt", "gpt2"])
    func cuts(family: String) throws {
        let base = try TinyModel.make(family)
        let whole = try Self.losses(Self.policy(base), Self.config())
        expectClose(try Self.losses(Self.policy(base), Self.config(tokensPerPass: 1)), whole, relative: 1e-4, absolute: 0)
        #expect(try Self.losses(Self.policy(base), Self.config(recomputes: true)) == whole)
        // the family's own dropout stays where the adapter has none
        #expect(try Self.losses(Self.policy(base, dropout: 0), Self.config()) != whole)
    }

    @Test("a run that goes on from a saved adapter has the same bits")
    func resumed() throws {
        try withTemporaryFolder { parent in
            let start = parent.appendingPathComponent("base")
            try LanguageModel(decoder: TinyModel.make("gpt2")).save(to: start)
            func fresh() throws -> LanguageModel {
                var model = try LanguageModel.load(start)
                model.decoder = try model.decoder.adapted(
                    by: AdapterConfiguration(rank: 2, dropout: 0.2, layers: [1, 2], decomposesWeights: true), base: start.path,
                    using: Philox(seed: 5))
                return model
            }
            let whole = try fresh()
            try SFTTrainer(whole.decoder, config: Self.config(), examples: ToyData.examples(20), handler: { _ in }).run()
            let first = try fresh()
            let trainer = try SFTTrainer(first.decoder, config: Self.config(), examples: ToyData.examples(20), handler: { _ in })
            try trainer.run(shouldStop: { trainer.step == 3 })
            let checkpoint = parent.appendingPathComponent("checkpoint")
            try first.save(to: checkpoint)
            let second = try LanguageModel.load(checkpoint)
            let again = try SFTTrainer(second.decoder, config: Self.config(), examples: ToyData.examples(20), handler: { _ in })
            try again.restore(trainer.snapshot)
            try again.run()
            for (a, b) in zip(whole.decoder.parameters, second.decoder.parameters) {
                #expect(a.name == b.name && a.value.isIdentical(to: b.value), "\(a.name)")
            }
        }
    }

    @Test("reward models: the adapter and the head are trained")
    func reward() throws {
        let base = try TinyModel.make("llama")
        let decoder = try Self.policy(base)
        let config = configured(RewardConfig()) {
            $0.maxSteps = 3
            $0.batchSize = 4
            $0.optimizer = AdamConfig(learningRate: 3e-3)
            $0.freezing = Freezing(fraction: 0.34)
        }
        let model = RewardModel(decoder, head: TinyModel.head(width: decoder.shape.headWidth))
        let head = model.head.weight.value
        let trainer = try RewardTrainer(model, config: config, comparisons: ToyData.comparisons(12), handler: { _ in })
        try trainer.run()
        #expect(!model.head.weight.value.isIdentical(to: head))
        let trained = decoder.parameters.filter(\.isTrainable).map(\.name)
        #expect(trained == decoder.adapter?.parameters.map(\.name))
        for (new, old) in zip(decoder.withoutAdapter().parameters, base.parameters) { #expect(new.value.sharesMemory(with: old.value)) }
    }
}
