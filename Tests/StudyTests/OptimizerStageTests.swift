import Models
import Runs
import Study
import Tensor
import Testing
import Train
import _TestSupport

/// `--optimizer`: every training program with every optimiser.
@Suite struct OptimizerStageTests {
    private let tiny: TinyStages

    init() throws {
        tiny = try TinyStages().with {
            ($0.training.lrSchedulerType, $0.klPrompts) = ("constant", 0)
            // the embeddings have more than 4096 numbers
            ($0.training.freezeLayers, $0.training.freezeLmHead) = (0, false)
            ($0.policy.freezeLayers, $0.policy.freezeLmHead) = (0, false)
        }
    }

    private func stages(_ kind: OptimizerKind, steps: Int = 5) -> TinyStages {
        tiny.with { ($0.training.optimizer, $0.policy.optimizer, $0.training.maxSteps) = (kind.rawValue, kind.rawValue, steps) }
    }

    @Test("a run that falls and is stopped again and again has the same result", arguments: OptimizerKind.allCases)
    func resumed(kind: OptimizerKind) throws {
        try stages(kind).expectSameAfterFalls(first: 4, more: 3)
    }

    @Test("optimisers have different results, and the setting is that of the run")
    func different() throws {
        let results = try OptimizerKind.allCases.map { kind in
            let run = try stages(kind, steps: 2).supervised.run(in: tiny.folder[kind.rawValue], tiny.environment)
            #expect(try run.configuration()?.options["optimizer"] == .string(kind.rawValue))
            return try tiny.weights(kind.rawValue)
        }
        // moments in 8 bits of the embeddings alone make adamw8bit differ from adamw
        #expect(Set(results).count == OptimizerKind.allCases.count)
        // a run keeps its optimiser
        #expect(throws: RunFolderError.self) { try stages(.lion, steps: 2).supervised.run(in: tiny.folder["adamw"], tiny.environment) }
    }

    @Test("names and settings without a meaning are refused")
    func refused() throws {
        var training = TrainingSettings()
        training.optimizer = "sgd"
        let unknown = #expect(throws: InvalidSetting.self) { try training.validate() }
        #expect(unknown?.message == "--optimizer is 'sgd'; expected \(OptimizerKind.list)")
        (training.optimizer, training.adamEpsilon) = ("lion", 1e-6)
        let unused = #expect(throws: InvalidSetting.self) { try training.validate() }
        #expect(unused?.message.contains("no effect with --optimizer lion") == true)
        var policy = PolicySettings()
        (policy.optimizer, policy.adamEpsilon) = ("lion", 1e-6)
        #expect(throws: InvalidSetting.self) { try policy.validate() }
        for (option, change) in [
            ("--adam-beta1", { $0.adamBeta1 = 0.8 }), ("--adam-beta2", { $0.adamBeta2 = 0.99 }),
            ("--adam-epsilon", { $0.adamEpsilon = 1e-6 }),
        ] as [(String, (inout TrainingSettings) -> Void)] {
            var training = TrainingSettings()
            change(&training)
            for kind in ["adamw", "adamw8bit"] {
                training.optimizer = kind
                try training.validate()
            }
            training.optimizer = "adafactor"
            let unused = #expect(throws: InvalidSetting.self) { try training.validate() }
            #expect(unused?.message.hasPrefix("\(option) is ") == true)
            #expect(unused?.message.hasSuffix("no effect with --optimizer adafactor; remove it") == true)
        }
        for kind in OptimizerKind.allCases {
            (policy.optimizer, policy.adamEpsilon) = (kind.rawValue, 1e-8)
            try policy.validate()
            (training.optimizer, training.adamEpsilon) = (kind.rawValue, 1e-8)
            try training.validate()
        }
    }

    @Test("a model from scratch needs less memory with a smaller state")
    func freshModel() {
        let configuration = LlamaConfiguration(
            vocabularySize: 1000, hiddenSize: 64, intermediateSize: 96, layerCount: 3, heads: 4, keyHeads: 4, contextLength: 64,
            normEpsilon: 1e-5)
        let bytes = OptimizerKind.allCases.map { FreshModelMemory(configuration, trainedBy: $0).bytes }
        let untrained = FreshModelMemory(configuration, trainedBy: nil).bytes
        for (kind, bytes) in zip(OptimizerKind.allCases, bytes) {
            let perWeight = (bytes - untrained) / configuration.parameterCount
            expectClose(perWeight, 4 + kind.bytesPerWeight, relative: 1e-6)
        }
        #expect(bytes.max() == bytes.first)
    }

    private static let large = LlamaConfiguration(
        vocabularySize: 2000, hiddenSize: 128, intermediateSize: 256, layerCount: 2, heads: 4, contextLength: 64)

    @Test(
        "a model from scratch takes what its weights, gradients and moments take, or a little less", arguments: OptimizerKind.allCases,
        MasterFormat.allCases)
    func freshModelInTraining(kind: OptimizerKind, master: MasterFormat) throws {
        let model = try Llama(Self.large, weights: RandomWeights(generator: Philox(seed: 1)))
        var config = AdamConfig()
        config.kind = kind
        let (weights, memory) = (WeightMemory(of: [model]), Adam(model.parameters, config: config).memory)
        let sum = Double(weights.bytes(.f32, .f32, master: master).total + memory.gradients + memory.moments)
        let found = FreshModelMemory(Self.large, trainedBy: kind, master: master).bytes
        #expect(found <= sum && found > 0.9 * sum, "\(found) of \(sum)")
        // each of two processes has half of the moments; gradients may be narrow, or none at a time
        let parameters = Self.large.parameterCount
        let shared = FreshModelMemory(Self.large, trainedBy: kind, master: master, processes: 2).bytes
        expectClose((found - shared) / parameters, kind.bytesPerWeight / 2, relative: 1e-6, absolute: 1e-6)
        let narrow = FreshModelMemory(Self.large, trainedBy: kind, master: master, gradients: .bf16).bytes
        let freed = FreshModelMemory(Self.large, trainedBy: kind, master: master, gradients: .bf16, updatesInBackward: true).bytes
        expectClose((found - narrow) / parameters, 2, relative: 1e-6)
        #expect(freed >= 4 * parameters && freed < narrow || narrow == 4 * parameters)
        // products in bf16 precision keep copies of weights in 32 bits
        let copied = FreshModelMemory(Self.large, trainedBy: kind, master: master, precision: .bf16).bytes
        #expect(copied - found == Double(weights.bytes(.f32, .bf16, master: master).packed))
    }

    @Test("the check before other work counts weights, gradients and moments as the trainer does", arguments: OptimizerKind.allCases)
    func leastOfTraining(kind: OptimizerKind) throws {
        let model = try Llama(Self.large, weights: RandomWeights(generator: Philox(seed: 1)))
        Freezing(fraction: 0.5).apply(to: model)
        var config = AdamConfig()
        config.kind = kind
        var run = RunSettings()
        let trained = model.parameters.filter(\.isTrainable)
        let memory = Adam(trained, config: config).memory
        func least(processes: Int = 1) -> TrainingMemory {
            MemoryPlan.least(run, training: RunModels(model: model), optimizer: config, processes: processes, program: 5).training
        }
        #expect(least().weights == WeightMemory(of: [model]).bytes(.f32, .f32).allocated)
        #expect(least().optimizer == memory.moments && least().gradients == memory.gradients && least().activations == 0)
        #expect(least(processes: 2).optimizer == memory.moments / 2)
        config.appliesInBackward = true
        #expect(least().gradients == 0)
        // weights that are not held in the run's formats yet count as they will be
        (run.frozenDtype, run.masterDtype) = ("int8", "bf16")
        let expected = WeightMemory(of: [model]).bytes(.int8, master: .bf16, packing: .none)
        #expect(least().weights == expected.allocated && expected.allocated < WeightMemory(of: [model]).bytes(.f32).allocated)
        try RunModels(model: model).hold(run) { _ in }
        #expect(least().weights == expected.allocated)
    }

    @Test("training that cannot fit is refused before other work")
    func leastIsRefused() throws {
        let model = try Llama(Self.large, weights: RandomWeights(generator: Philox(seed: 1)))
        var run = RunSettings()
        func check() throws {
            try MemoryPlan.checkLeast(
                run, RunModels(model: model), optimizer: AdamConfig(), processes: 1, ranks: 1, advice: "less")
        }
        try check()
        run.memoryLimit = "1MB"
        let error = try #require(#expect(throws: MemoryError.self) { try check() })
        #expect(error.available == 1_000_000 && error.settings.contains("activations come on top; "), "\(error.settings)")
    }

    @Test("a model from scratch that does not fit is answered with a smaller one and with options that take less memory")
    func freshModelAdvice() {
        let memory = FreshModelMemory(Self.large, trainedBy: .adamw)
        #expect(memory.settings(fitting: 1e6) == FreshModelMemory.advice)
        let advice = memory.settings(fitting: 1e9)
        #expect(
            advice.hasPrefix("\(FreshModelMemory.advice), or --optimizer adamw8bit, with which it needs at least ")
                && advice.hasSuffix("(the optimiser's moments are rounded to 8 bits)"), "\(advice)")
        #expect(FreshModelMemory(Self.large, trainedBy: .adafactor, master: .bf16).settings(fitting: 1e6) == FreshModelMemory.advice)
        #expect(advice.contains(" for weights, gradients and optimiser alone ("), "\(advice)")
        // gradients that are freed change no result, so they are named first; with several processes they cannot be freed
        let freed = FreshModelMemory(Self.large, trainedBy: .adamw, mayUpdateInBackward: true)
        #expect(freed.settings(fitting: 1e9).contains("or --apply-in-backward true, with which"), "\(freed.settings(fitting: 1e9))")
        let shared = FreshModelMemory(Self.large, trainedBy: .adamw, mayUpdateInBackward: true, processes: 2)
        #expect(!shared.settings(fitting: 1e9).contains("--apply-in-backward"))
    }

    @Test("supervised training advises to freeze layers only where there are layers to freeze")
    func supervisedAdvice() {
        var stage = tiny.supervised
        #expect(stage.memoryAdvice.contains("--freeze-layers"))
        (stage.model.modelName, stage.model.fromScratch) = (nil, true)
        #expect(stage.memoryAdvice == FreshModelMemory.advice && !FreshModelMemory.advice.contains("--freeze-layers"))
    }

    @Test("processes on one machine share its free memory for models from scratch")
    func freshModelsOfRanks() throws {
        var memory = FreshModelMemory(
            LlamaConfiguration(vocabularySize: 8, hiddenSize: 8, intermediateSize: 8, layerCount: 1, heads: 1), trainedBy: nil)
        memory.bytes = 1e18
        let alone = try #require(#expect(throws: MemoryError.self) { try memory.check(limit: nil) })
        let shared = try #require(#expect(throws: MemoryError.self) { try memory.check(limit: nil, ranks: 8) })
        #expect(shared.available < alone.available)
        // a limit is that of each process
        let limited = #expect(throws: MemoryError.self) { try memory.check(limit: "1MB", ranks: 8) }
        #expect(limited?.available == 1_000_000)
        // the program of this test takes more than that
        #expect(limited?.settings.hasSuffix("; raise --memory-limit") == true)
        #expect(alone.settings.hasPrefix("this is for the weights and the program so far; passes come on top; use a smaller model"))
    }

    @Test("the first estimate of a model from scratch says that activations come on top")
    func freshModelScope() throws {
        var memory = FreshModelMemory(Self.large, trainedBy: .adamw)
        memory.bytes = 1e18
        let error = try #require(#expect(throws: MemoryError.self) { try memory.check(limit: nil) })
        let words =
            "this is for the weights, gradients, optimiser and the program so far; activations come on top, which --tokens-per-pass limits"
        #expect(error.settings.hasPrefix("\(words); use a smaller model"), "\(error.settings)")
    }
}
