import Data
import Formats
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Training with dropout: PyTorch's numbers under the same masks, and masks that depend on nothing but seed, step and place.
@Suite struct DropoutTests {
    private struct Expectations: Decodable {
        let rates: [String: Double]
        let loss: Double
    }

    /// The tiny models for which make_dropout.py wrote numbers: every family, two of those that have more than one order of halves.
    private static let compared = [
        "opt-pre-norm", "opt-post-norm-projected", "gpt2", "llama-gqa", "gpt_neox", "gpt_neox-sequential", "phi", "phi3-window-partial",
        "gptj-tied", "gpt_neo", "bloom", "bloom-post-norm", "stablelm", "stablelm-parallel", "qwen2", "qwen3", "mistral", "gemma2",
        "gemma3_text", "olmo2", "smollm3",
    ]

    @Test("loss and every gradient", arguments: compared)
    func parity(_ name: String) throws {
        let expected = try Fixtures.json(Expectations.self, from: "models/\(name)/dropout.json")
        let fixture = try ModelFixture(name)
        let decoder = try Self.load(name, rates: expected.rates)
        // of Phi 3's embeddings nothing is dropped, in Transformers neither, so that rate is not asked for
        for (key, rate) in expected.rates where !(name.hasPrefix("phi3") && key == "embd_pdrop") {
            #expect(decoder.configuration()[key]?.double == rate)
        }

        for recomputes in [false, true] {
            let tape = Tape(recomputingLayers: recomputes)
            let loss = SFTLoss.loss(
                decoder, fixture.examples, weights: fixture.examples.map { _ in 1 / Float(fixture.expected.trainedTokens) },
                on: tape, dropout: DropoutSource(Philox(seed: 7)))
            expectClose([loss.item], [expected.loss], relative: 1e-5, absolute: 0)
            tape.backward(from: loss)
            let tensors = try Fixtures.safetensors("models/\(name)/dropout.safetensors")
            expectGradients(decoder.parameters.gradients, fixture.gradients(of: tensors, "gradients."), name)
            decoder.parameters.forEach { $0.clearGradient() }
        }
        // nothing is dropped where no generator is given
        #expect(
            SFTLoss.mean(decoder, fixture.examples, tokensPerPass: 20)
                == SFTLoss.mean(fixture.decoder, fixture.examples, tokensPerPass: 20))
    }

    /// A model of the fixtures with other rates in its configuration.
    private static func load(_ name: String, rates: [String: Double]) throws -> any TransformerDecoder {
        try withTemporaryFolder { folder in
            let original = Fixtures.url("models/\(name)")
            var configuration = try JSONValue(contentsOf: original.appendingPathComponent("config.json"))
            for (key, rate) in rates { configuration[key] = JSONValue(rate) }
            let copy = folder.appendingPathComponent("model")
            try FileManager.default.copyItem(at: original, to: copy)
            try Data(configuration.text.utf8).write(to: copy.appendingPathComponent("config.json"))
            return try LanguageModel.load(copy).decoder
        }
    }

    private static func config(tokensPerPass: Int = 10_000, steps: Int = 4, drops: Bool = true) -> SFTConfig {
        configured(SFTConfig()) {
            $0.maxSteps = steps
            $0.batchSize = 6
            $0.tokensPerPass = tokensPerPass
            $0.optimizer = AdamConfig(learningRate: 3e-3)
            $0.freezing = Freezing(fraction: 0.34)
            $0.logSteps = 1
            $0.dropsOut = drops
        }
    }

    private static func losses(_ family: String, _ config: SFTConfig) throws -> [Double] {
        let log = EventLog()
        try SFTTrainer(try TinyModel.make(family), config: config, examples: ToyData.examples(20), handler: log.handler).run()
        return log.losses
    }

    @Test(arguments: ["opt", "gpt2"]) func theCutIntoPassesChangesNothing(family: String) throws {
        let whole = try Self.losses(family, Self.config())
        expectClose(try Self.losses(family, Self.config(tokensPerPass: 1)), whole, relative: 1e-4, absolute: 0)
        let plain = try Self.losses(family, Self.config(drops: false))
        #expect(zip(whole, plain).allSatisfy { abs($0 - $1) > 1e-3 })
    }

    @Test func llamasHaveNone() throws {
        #expect(try Self.losses("llama", Self.config()) == Self.losses("llama", Self.config(drops: false)))
    }

    @Test(arguments: ["opt", "gpt2"]) func aResumedRunDropsTheSame(family: String) throws {
        let unbroken = try TinyModel.make(family)
        try SFTTrainer(unbroken, config: Self.config(), examples: ToyData.examples(20), handler: { _ in }).run()

        let resumed = try TinyModel.make(family)
        let first = try SFTTrainer(resumed, config: Self.config(), examples: ToyData.examples(20), handler: { _ in })
        try first.run(shouldStop: { first.step == 2 })
        let second = try SFTTrainer(resumed, config: Self.config(), examples: ToyData.examples(20), handler: { _ in })
        try second.restore(first.snapshot)
        try second.run()
        for (a, b) in zip(unbroken.parameters, resumed.parameters) {
            #expect(a.value.isIdentical(to: b.value), "\(a.name)")
        }
    }

    @Test(arguments: ["opt", "gpt2"]) func rewardTraining(family: String) throws {
        func losses(tokensPerPass: Int = 10_000, drops: Bool = true) throws -> [Double] {
            let log = EventLog()
            let decoder = try TinyModel.make(family)
            let config = configured(RewardConfig()) {
                $0.maxSteps = 3
                $0.batchSize = 4
                $0.tokensPerPass = tokensPerPass
                $0.optimizer = AdamConfig(learningRate: 3e-3)
                $0.freezing = Freezing(fraction: 0.34)
                $0.logSteps = 1
                $0.dropsOut = drops
            }
            let model = RewardModel(decoder, head: TinyModel.head(width: decoder.shape.headWidth))
            try RewardTrainer(model, config: config, comparisons: ToyData.comparisons(12), handler: log.handler).run()
            return log.losses
        }
        let whole = try losses()
        expectClose(try losses(tokensPerPass: 1), whole, relative: 1e-4, absolute: 0)
        #expect(zip(whole, try losses(drops: false)).allSatisfy { abs($0 - $1) > 1e-4 })
    }

    @Test func aSharePerRowIsKeptAndTheMeanStays() {
        let mask = DropoutMask(rate: 0.1, random: Philox(seed: 3))
        let kept = Tensor.filled(1, [200, 500]).dropped(mask).values
        let share = Double(kept.count { $0 != 0 }) / Double(kept.count)
        #expect(abs(share - 0.9) < 0.004)  // four standard deviations
        #expect(kept.allSatisfy { $0 == 0 || abs($0 - 1 / 0.9) < 1e-6 })
        // other rows of the mask, other zeros; the same rows, the same ones
        let later = Tensor.filled(1, [2, 500]).dropped(DropoutMask(rate: 0.1, random: Philox(seed: 3), rows: [199, 0]))
        #expect(later.values == Array(kept[99_500...]) + Array(kept[..<500]))
    }

    @Test(arguments: ["dropout", "attention_dropout"]) func ratesOutOfRangeAreRefused(key: String) throws {
        #expect {
            try Self.load("opt-pre-norm", rates: [key: 1])
        } throws: { error in
            "\(error)".contains(key)
        }
    }
}
