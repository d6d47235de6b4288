import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

@Suite struct SFTTrainerTests {
    private func config(_ steps: Int = 6, rate: Double = 3e-3) -> SFTConfig {
        configured(SFTConfig()) {
            $0.maxSteps = steps
            $0.batchSize = 8
            $0.optimizer = AdamConfig(learningRate: rate)
            $0.schedule = Schedule(.cosine, warmupSteps: 2)
            $0.freezing = Freezing(fraction: 0.4, freezesEmbeddings: false)
            $0.logSteps = 3
            $0.evaluationSteps = 2
            $0.seed = 5
        }
    }

    @Test("an evaluation counts the examples and tokens of a set", arguments: [nil, 3] as [Int?])
    func evaluationProgress(batchSize: Int?) throws {
        let (log, set) = (EventLog(), ToyData.examples(10))
        var config = SFTConfig()
        (config.tokensPerPass, config.evaluationBatchSize) = (20, batchSize)
        let trainer = try SFTTrainer(
            TinyModel.llama(), config: config, examples: set, evaluations: [("validation", set)], handler: log.handler)
        try trainer.evaluate()
        let done = log.parts.map(\.done)
        #expect(done.first == 0 && done.last == 10 && done.count > 2 && zip(done, done.dropFirst()).allSatisfy { $0 < $1 }, "\(done)")
        #expect(log.parts.allSatisfy { $0.name == "evaluation of validation" && $0.unit == "example" && $0.total == 10 })
        #expect(log.parts.last?.tokens == set.reduce(0) { $0 + $1.count })
    }

    @Test("the loss falls, trainable parameters move, frozen ones keep their bits")
    func smoke() throws {
        let decoder = try TinyModel.llama()
        let before = Weights(decoder)
        let examples = ToyData.examples(24)
        var config = config(60, rate: 1e-2)
        config.freezing = Freezing(fraction: 0.4)
        config.evaluationSteps = nil
        let log = EventLog()
        let trainer = try SFTTrainer(
            decoder, config: config, examples: examples, evaluations: [("train", examples)], handler: log.handler)
        let trainable = Set(decoder.parameters.filter(\.isTrainable).map(\.name))
        #expect(trainable.count == 2 * 9 + 1)
        #expect(try trainer.run())
        #expect(before.moved(decoder.parameters) == trainable)
        let measured = log.all("train_loss")
        #expect(measured.count == 2 && measured[1] < 0.7 * measured[0])
        #expect(trainer.lastEvaluation["train_loss"] == measured[1])
        expectClose(
            [SFTLoss.mean(decoder, examples, tokensPerPass: 10_000)], [measured[1]], relative: 1e-5)
        let first: Double = log.losses.prefix(6).reduce(0, +)
        let last: Double = log.losses.suffix(6).reduce(0, +)
        #expect(last < 0.8 * first)
        #expect(log.steps == Array(1...60) && log.stages == ["sft"])
    }

    @Test("how a batch is cut into passes changes nothing beyond rounding")
    func passes() throws {
        func trained(_ tokensPerPass: Int) throws -> (Weights, EventLog) {
            let decoder = try TinyModel.llama()
            var config = config()
            config.tokensPerPass = tokensPerPass
            let log = EventLog()
            try SFTTrainer(
                decoder, config: config, examples: ToyData.examples(20), evaluations: [("v", ToyData.examples(5, seed: 9))],
                handler: log.handler
            ).run()
            return (Weights(decoder), log)
        }
        let (whole, log) = try trained(10_000)
        for tokens in [1, 20] {
            let (weights, other) = try trained(tokens)
            weights.expectClose(to: whole, absolute: 2e-5)
            expectClose(other.losses, log.losses, relative: 1e-5)
            for (a, b) in zip(other.measurements, log.measurements) {
                #expect(a.step == b.step && Set(a.values.keys) == Set(b.values.keys))
                for (name, value) in a.values {
                    expectClose([value], [b.values[name] ?? .nan], relative: 1e-4, absolute: 1e-6, label: name)
                }
            }
        }
    }

    @Test("every target token weighs the same, whichever example it is in")
    func weights() throws {
        let decoder = try TinyModel.llama()
        let examples = ToyData.examples(8)
        let log = EventLog()
        try SFTTrainer(decoder.copy(), config: config(1), examples: examples, handler: log.handler).run()
        let sum = examples.reduce(0.0) { sum, example in
            sum + SFTLoss.mean(decoder, [example], tokensPerPass: 100) * Double(example.target.count)
        }
        expectClose(log.losses, [sum / Double(examples.reduce(0) { $0 + $1.target.count })], relative: 1e-5)
    }

    @Test("the first step of a warm-up has a rate of 0 and moves nothing")
    func warmUp() throws {
        let decoder = try TinyModel.llama()
        let before = Weights(decoder)
        let trainer = try SFTTrainer(decoder, config: config(), examples: ToyData.examples(20), handler: { _ in })
        #expect(try !trainer.run(shouldStop: { true }))
        #expect(trainer.step == 1 && before.moved(decoder.parameters).isEmpty)
        #expect(try !trainer.run(shouldStop: { true }))
        #expect(!before.moved(decoder.parameters).isEmpty)
    }

    @Test("a run that goes on from a snapshot equals the unbroken one bit for bit", arguments: [1, 2, 3, 5])
    func resume(stop: Int) throws {
        let (examples, held) = (ToyData.examples(20), ToyData.examples(4, seed: 9))
        func trainer(_ decoder: Llama, _ log: EventLog) throws -> SFTTrainer {
            try SFTTrainer(
                decoder, config: config(), examples: examples, evaluations: [("v", held)], handler: log.handler)
        }
        let (whole, wholeLog) = (try TinyModel.llama(), EventLog())
        #expect(try trainer(whole, wholeLog).run())

        let (first, log) = (try TinyModel.llama(), EventLog())
        let broken = try trainer(first, log)
        var saved: (TrainerSnapshot, any TransformerDecoder)?
        #expect(
            try !broken.run(
                checkpoint: { saved = (try $0.snapshot, $0.decoder.copy()) }, shouldStop: { broken.step == stop }))
        let (snapshot, weights) = try #require(saved)
        let second = try #require(weights as? Llama)
        let resumed = try trainer(second, log)
        try resumed.restore(snapshot)
        #expect(resumed.step == stop)
        #expect(try resumed.run())
        Weights(second).expectIdentical(to: Weights(whole))
        #expect(log.measurements == wholeLog.measurements)
        #expect(log.losses == wholeLog.losses)
    }

    @Test("checkpoints come at their interval and before an early stop")
    func checkpoints() throws {
        var config = config(7)
        config.checkpointSteps = 3
        var steps: [Int] = []
        let trainer = try SFTTrainer(
            TinyModel.llama(), config: config, examples: ToyData.examples(20), handler: { _ in })
        #expect(try !trainer.run(checkpoint: { steps.append($0.step) }, shouldStop: { trainer.step == 4 }))
        #expect(steps == [3, 4])
        #expect(try trainer.run(checkpoint: { steps.append($0.step) }))
        #expect(steps == [3, 4, 6])
    }

    @Test("one thread and two threads agree to rounding")
    func threads() throws {
        func trained(_ threads: Int) throws -> Weights {
            try Compute.$threads.withValue(threads) {
                let decoder = try TinyModel.llama()
                try SFTTrainer(decoder, config: config(), examples: ToyData.examples(20), handler: { _ in }).run()
                return Weights(decoder)
            }
        }
        try trained(2).expectClose(to: trained(1), absolute: 1e-5)
    }

    @Test("a loss that is not finite stops the run with weights and gradients untouched")
    func notFinite() throws {
        let decoder = try TinyModel.llama()
        // one example alone meets this token
        var examples = ToyData.examples(8).map { example in
            var example = example
            example.prompt = example.prompt.map { $0 == 23 ? 22 : $0 }
            example.target = example.target.map { $0 == 23 ? 22 : $0 }
            return example
        }
        examples[5].prompt = [23]
        decoder.embeddingParameters[0].value.update { $0[23 * 16] = .nan }
        var config = config()
        config.tokensPerPass = 1  // so that other examples have left gradients behind
        let before = Weights(decoder)
        let trainer = try SFTTrainer(decoder, config: config, examples: examples, handler: { _ in })
        let what = "the loss (first seen in the weight model.embed_tokens.weight)"
        #expect(throws: TrainingError.notFinite(what: what, step: 1, examples: ["e5"])) { try trainer.run() }
        before.expectIdentical(to: Weights(decoder))
        #expect(decoder.parameters.gradients.isEmpty)
        #expect(try trainer.step == 0 && trainer.snapshot.optimizerSteps == 0)
    }

    @Test("examples that do not fit and settings without a meaning are refused")
    func refusals() throws {
        func trainer(_ examples: [TokenisedExample], _ change: (inout SFTConfig) -> Void = { _ in }) throws {
            var config = config()
            change(&config)
            _ = try SFTTrainer(TinyModel.llama(context: 20), config: config, examples: examples, handler: { _ in })
        }
        let examples = ToyData.examples(3)
        try trainer(examples)
        let long = TokenisedExample(id: "long", prompt: Array(repeating: 3, count: 15), target: Array(repeating: 3, count: 6))
        #expect(throws: TrainingError.exampleTooLong(id: "long", tokens: 21, limit: 20)) { try trainer(examples + [long]) }
        #expect(throws: TrainingError.noExamples("the training split")) { try trainer([]) }
        for (part, prompt, target) in [("target", [3], []), ("prompt", [], [3])] as [(String, [Int32], [Int32])] {
            let error = #expect(throws: TrainingError.self) { try trainer([TokenisedExample(id: "x", prompt: prompt, target: target)]) }
            #expect(error.map { "\($0)" } == "the \(part) of example x has no tokens; remove the row, or give it a text")
        }
        for change: (inout SFTConfig) -> Void in [
            { $0.epochs = 0 }, { $0.maxSteps = 0 }, { $0.batchSize = 0 }, { $0.tokensPerPass = 0 }, { $0.logSteps = 0 },
            { $0.evaluationSteps = 0 }, { $0.checkpointSteps = 0 }, { $0.freezing.fraction = 1.5 },
            { $0.optimizer.learningRate = 0 },
        ] {
            #expect(throws: TrainingError.self) { try trainer(examples, change) }
        }
    }

    @Test("a snapshot of other data is refused")
    func foreignSnapshot() throws {
        func trainer(_ count: Int, seed: UInt64 = 5) throws -> SFTTrainer {
            var config = config()
            config.seed = seed
            return try SFTTrainer(
                TinyModel.llama(), config: config, examples: ToyData.examples(count), handler: { _ in })
        }
        let snapshot = try trainer(20).snapshot
        try trainer(20).restore(snapshot)
        #expect(throws: TrainingError.self) { try trainer(21).restore(snapshot) }
        #expect(throws: TrainingError.self) { try trainer(20, seed: 6).restore(snapshot) }
    }

    @Test("a snapshot with numbers that no run comes to is refused, and no crash")
    func absurdSnapshot() throws {
        let trainer = try SFTTrainer(
            TinyModel.llama(), config: config(), examples: ToyData.examples(20), handler: { _ in })
        for change: (inout TrainerSnapshot) -> Void in [
            { $0.step = -1 }, { $0.tokens = .max }, { $0.optimizerSteps = .min },
        ] {
            var snapshot = try trainer.snapshot
            change(&snapshot)
            #expect(throws: TrainingError.self) { try trainer.restore(snapshot) }
        }
        var snapshot = try trainer.snapshot
        for name in ["interval_targets", "skipped_batches"] { snapshot.numbers[name] = 1e300 }
        try trainer.restore(snapshot)
        #expect(try trainer.snapshot.numbers["interval_targets"] == 0)
    }

    @Test("the number of steps")
    func stepCounts() {
        #expect(
            configured(SFTConfig()) {
                $0.epochs = 1
                $0.batchSize = 8
            }.loop.totalSteps(examples: 17) == 3)
        #expect(
            configured(SFTConfig()) {
                $0.epochs = 2.5
                $0.batchSize = 8
            }.loop.totalSteps(examples: 16) == 5)
        #expect(
            configured(SFTConfig()) {
                $0.epochs = 0.01
                $0.batchSize = 8
            }.loop.totalSteps(examples: 16) == 1)
        #expect(
            configured(SFTConfig()) {
                $0.epochs = 9
                $0.maxSteps = 4
                $0.batchSize = 8
            }.loop.totalSteps(examples: 16) == 4)
    }

    @Test("consecutive parts hold at most so many tokens; what is longer is alone")
    func packing() {
        #expect(Packing.parts([3, 4, 5, 12, 1, 1], tokensPerPass: 8) { $0 } == [[3, 4], [5], [12], [1, 1]])
        #expect(Packing.parts([Int](), tokensPerPass: 8) { $0 }.isEmpty)
        #expect(Packing.parts([9, 9], tokensPerPass: 1) { $0 } == [[9], [9]])
        // what follows its like costs 1; at the beginning of a part it costs all of it
        let sharing = { (item: Int, last: Int?) in item == last ? 1 : item }
        #expect(Packing.parts([5, 5, 5, 5, 5, 3, 5], tokensPerPass: 7, length: sharing) == [[5, 5, 5], [5, 5], [3], [5]])
        #expect(Packing.parts([9, 9], tokensPerPass: 10, length: sharing) == [[9, 9]])
    }
}
