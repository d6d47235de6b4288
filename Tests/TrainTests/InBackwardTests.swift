import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Weights that are updated in the backward pass: the bits of the usual step.
@Suite struct InBackwardTests {
    private func config(_ kind: OptimizerKind = .adamw, inBackward: Bool = true) -> AdamConfig {
        configured(AdamConfig(learningRate: 3e-3, clipNorm: nil)) {
            ($0.kind, $0.appliesInBackward, $0.weightDecay) = (kind, inBackward, 0.01)
        }
    }

    private func config(_ kind: OptimizerKind, inBackward: Bool, recomputes: Bool, tokensPerPass: Int) -> SFTConfig {
        configured(SFTConfig()) {
            ($0.maxSteps, $0.batchSize, $0.tokensPerPass, $0.logSteps) = (4, 8, tokensPerPass, 1)
            ($0.optimizer, $0.recomputesLayers) = (config(kind, inBackward: inBackward), recomputes)
            $0.freezing = Freezing(fraction: 0.4, freezesEmbeddings: false)
        }
    }

    /// gpt2 has one matrix for embeddings and projection. Passes of 40 tokens are several in a step.
    @Test("weights and metrics have the same bits", arguments: OptimizerKind.allCases, ["llama", "gpt2"])
    func sameBits(kind: OptimizerKind, family: String) throws {
        for (recomputes, tokensPerPass) in [(false, 1000), (true, 1000), (false, 40), (true, 40)] {
            for master in MasterFormat.allCases {
                func trained(_ inBackward: Bool) throws -> (weights: Weights, log: EventLog) {
                    let (decoder, log) = (try TinyModel.make(family), EventLog())
                    let trainer = try SFTTrainer(
                        decoder, config: config(kind, inBackward: inBackward, recomputes: recomputes, tokensPerPass: tokensPerPass),
                        examples: ToyData.examples(20), handler: log.handler)
                    try MasterWeights.hold(decoder, as: master)
                    try trainer.run()
                    #expect(decoder.parameters.allSatisfy { $0.gradient == nil })
                    return (Weights(decoder), log)
                }
                let (usual, new) = (try trained(false), try trained(true))
                new.weights.expectIdentical(to: usual.weights)
                #expect(new.log.losses == usual.log.losses && new.log.measurements == usual.log.measurements)
                #expect(!new.log.all("gradient_norm").isEmpty)
            }
        }
    }

    @Test("gradients are freed, and counted, only where a step has one pass")
    func memory() throws {
        func memory(_ tokensPerPass: Int, inBackward: Bool = true) throws -> TrainingMemory {
            try SFTTrainer(
                TinyModel.llama(),
                config: config(.adamw, inBackward: inBackward, recomputes: false, tokensPerPass: tokensPerPass),
                examples: ToyData.examples(20)
            ).memory()
        }
        let (usual, one, several) = (try memory(1000, inBackward: false), try memory(1000), try memory(40))
        #expect(one.freesGradients && !several.freesGradients && !usual.freesGradients)
        #expect(one.gradients < usual.gradients && several.gradients == usual.gradients)
        #expect(GradientFormat.bf16.byteCount(of: [64, 64]) == Allocator.capacity(for: 8192))
        #expect(GradientFormat.bf16.byteCount(of: [4096]) == Allocator.capacity(for: 16_384))
    }

    /// Layers with the same input, such as queries, keys and values, are not computed as a group here. The embedding may be the output
    /// projection, too, whose part of the gradient exists from the beginning.
    @Test("the gradients of a layer do not exist at the same time", arguments: [false, true])
    func oneGradientAtATime(recomputes: Bool) throws {
        let decoder = try TinyModel.llama()
        var (most, count) = (0, 0)
        let tape = Tape(recomputingLayers: recomputes) { parameter in
            most = max(most, decoder.parameters.count { $0.gradient != nil })
            count += 1
            parameter.clearGradient()
        }
        tape.backward(from: SFTLoss.loss(decoder, ToyData.examples(2), weight: 1, on: tape))
        #expect(count == decoder.parameters.count && most <= 2, "\(most) gradients at a time")
    }

    /// Several passes in a step, with and without recomputed layers, and the last pass updating the weights.
    @Test("gradients in bfloat16 are deterministic, and close to floats", arguments: [false, true])
    func narrowGradients(inBackward: Bool) throws {
        func trained(_ format: GradientFormat, threads: Int = 1, recomputes: Bool = false, seed: UInt64 = 42) throws -> Weights {
            var config = config(.adamw, inBackward: inBackward, recomputes: recomputes, tokensPerPass: 40)
            (config.gradientFormat, config.seed, config.maxSteps) = (format, seed, 2)
            let decoder = try TinyModel.llama()
            try Compute.$threads.withValue(threads) {
                try SFTTrainer(decoder, config: config, examples: ToyData.examples(20)).run()
            }
            return Weights(decoder)
        }
        let narrow = try trained(.bf16)
        try trained(.bf16, threads: 3).expectIdentical(to: narrow)
        try trained(.bf16, recomputes: true).expectIdentical(to: narrow)
        let floats = try trained(.f32)
        // two steps of at most about 3e-3 each
        narrow.expectClose(to: floats, absolute: 1.3e-2)
        #expect(zip(narrow.values, floats.values).contains { !$0.isIdentical(to: $1) })
    }

    @Test("weights have the same bits with gradients in bfloat16", arguments: [40, 1000])
    func sameBitsWithNarrowGradients(tokensPerPass: Int) throws {
        func trained(_ inBackward: Bool) throws -> Weights {
            var config = config(.adamw, inBackward: inBackward, recomputes: false, tokensPerPass: tokensPerPass)
            config.gradientFormat = .bf16
            let decoder = try TinyModel.llama()
            try SFTTrainer(decoder, config: config, examples: ToyData.examples(20)).run()
            return Weights(decoder)
        }
        try trained(true).expectIdentical(to: trained(false))
    }

    @Test("sums of gradients in bfloat16 keep small contributions on average")
    func smallContributions() throws {
        let parameter = Parameter("p", .zeros([64, 64]))
        let vector = Parameter("v", .zeros([64]))
        let adam = Adam([parameter, vector], config: config(.adamw, inBackward: false))
        for number in 0..<100 {
            for parameter in [parameter, vector] {
                let tape = Tape { adam.roundGradient(of: $0, with: Philox(seed: 1).split(UInt64(number))) }
                tape.backward(from: parameter.on(tape).sum(), scale: number == 0 ? 1 : 1e-3)
            }
            #expect(parameter.gradient?.storage.format == .bf16 && vector.gradient?.storage.format == .f32)
        }
        // beside 1, a contribution of 0.001 is an eighth of the distance of two numbers
        let values = parameter.gradient?.values ?? []
        let mean = values.reduce(0) { $0 + Double($1) } / Double(max(1, values.count))
        #expect(abs(mean - 1.099) < 3e-3, "\(mean)")
        // the optimiser reads it
        #expect(try adam.step(learningRate: 0.1) > 1.09 * 64)
        #expect(parameter.value.values.allSatisfy { abs($0 + 0.1) < 1e-3 })
    }

    @Test("a bad gradient ends the step at the weight that has it")
    func notFinite() throws {
        let parameters = ["p", "q", "r"].map { Parameter($0, .filled(1, [4])) }
        let adam = Adam(parameters, config: config())
        adam.begin(learningRate: 0.1)
        for (parameter, gradient) in zip(parameters, [1, Float.infinity, 1]) {
            parameter.gradient = .filled(gradient, [4])
            adam.apply(to: parameter)
        }
        #expect(parameters[0].gradient == nil && parameters[0].value.values != [1, 1, 1, 1])
        for parameter in parameters.dropFirst() { #expect(parameter.value.values == [1, 1, 1, 1], "\(parameter.name)") }
        let error = #expect(throws: TrainingError.self) { try adam.finish(learningRate: 0.1, examples: ["e"], of: 7) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("the gradient of q is NaN or Inf in step 7 (example e)"), "\(text)")
        #expect(text.contains("some weights were updated before it"), "\(text)")
        #expect(parameters.allSatisfy { $0.gradient == nil })
        // the next step begins anew
        parameters[1].gradient = .filled(2, [4])
        #expect(try adam.finish(learningRate: 0.1, examples: [], of: 8) == 4)
        #expect(parameters[1].value.values != [1, 1, 1, 1] && parameters[2].value.values == [1, 1, 1, 1])
    }

    @Test("what needs all gradients at once is refused")
    func refused() throws {
        var config = SFTConfig()
        (config.optimizer.appliesInBackward, config.optimizer.clipNorm) = (true, 1)
        #expect(throws: TrainingError.self) { try config.optimizer.validate() }
        config.optimizer.clipNorm = nil
        try config.validate()
        config.skippedBatches = 1
        let error = #expect(throws: TrainingError.self) { try config.validate() }
        #expect(error?.description.contains("the limit of skipped batches is 1") == true)
        config.skippedBatches = 0
        let settings = config
        let errors = try ThreadCollective.run(2) { group in
            let error = #expect(throws: TrainingError.self) {
                try SFTTrainer(TinyModel.llama(), config: settings, examples: ToyData.examples(4), collective: group)
            }
            return error?.description ?? ""
        }
        #expect(errors.allSatisfy { $0.hasPrefix("the number of processes is 2") }, "\(errors)")
    }
}
