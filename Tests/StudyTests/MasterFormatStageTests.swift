import Data
import Foundation
import Models
import Runs
import Study
import Tensor
import Testing
import Train
import _TestSupport

/// `--master-dtype bf16`: every training program with trained weights that are kept in bfloat16.
@Suite struct MasterFormatStageTests {
    private let folder: TemporaryFolder
    private let environment: StageEnvironment

    init() throws { (folder, environment) = try TinyStudy.withSupervisedRun() }

    private func run(_ master: String = "bf16", _ dtype: String = "f32", frozen: String = "f32", threads: Int = 1) -> RunSettings {
        var run = RunSettings()
        (run.masterDtype, run.dtype, run.frozenDtype, run.threads) = (master, dtype, frozen, threads)
        run.gradientDtype = frozen == "int8" ? "bf16" : "f32"
        return run
    }

    private var training: TrainingSettings {
        var training = TrainingSettings()
        (training.maxSteps, training.perDeviceTrainBatchSize, training.saveSteps) = (4, 4, 2)
        (training.freezeLayers, training.learningRate, training.loggingSteps) = (0.5, 0.01, 1)
        (training.lrSchedulerType, training.optimizer) = ("constant", "adamw8bit")
        return training
    }

    private func supervised(_ run: RunSettings) -> SFTStage {
        var stage = SFTStage()
        (stage.model.modelName, stage.training, stage.run) = (folder["sft"].path, training, run)
        (stage.data.targetEvalDatapoints, stage.evaluation.doEval) = (4, false)
        return stage
    }

    private func reward(_ run: RunSettings) -> RewardModelStage {
        var stage = RewardModelStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        (stage.sampling.maxNewTokens, stage.training, stage.run) = (6, training, run)
        return stage
    }

    private func preference(_ run: RunSettings) -> PreferenceStage {
        let reward = reward(run)
        var stage = PreferenceStage()
        (stage.comparisons, stage.sampling, stage.run, stage.training) = (reward.comparisons, reward.sampling, reward.run, reward.training)
        stage.preference.klPrompts = 2
        return stage
    }

    private func policy(_ run: RunSettings) -> PPOStage {
        var stage = PPOStage()
        (stage.policy.modelName, stage.reward.rewardFunction, stage.run) = (folder["sft"].path, "length", run)
        (stage.policy.totalSteps, stage.policy.checkpointSteps, stage.policy.freezeLayers) = (3, 1, 0.5)
        (stage.policy.rolloutBatchSize, stage.policy.learnBatchSize, stage.policy.ppoEpochs) = (4, 4, 2)
        (stage.policy.adamLearningRate, stage.sampling.maxNewTokens, stage.data.targetEvalDatapoints) = (0.01, 6, 4)
        return stage
    }

    private func stages(_ run: RunSettings) -> [(name: String, run: (URL, StageEnvironment) throws -> Void)] {
        [
            ("sft", { try supervised(run).run(in: $0, $1) }), ("rm", { try reward(run).run(in: $0, $1) }),
            ("dpo", { try preference(run).run(in: $0, $1) }), ("ppo", { try policy(run).run(in: $0, $1) }),
        ]
    }

    private func listening(_ lines: @escaping (String) -> Void) -> StageEnvironment {
        var environment = environment
        environment.sinks = [ClosureSink { if case .noted(let line) = $0 { lines(line) } }]
        return environment
    }

    private func weights(_ run: String) throws -> Foundation.Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }

    @Test("a run that falls and is stopped again and again has the same result", arguments: [("f32", "f32"), ("bf16", "int8")])
    func resumed(dtype: String, frozen: String) throws {
        for (name, body) in stages(run("bf16", dtype, frozen: frozen)) {
            let (whole, parts) = ("\(name)-whole", "\(name)-parts")
            try body(folder[whole], environment)
            let attempts = try TinyStudy.fallingAndStopping(
                environment, first: 6, more: 4, path: folder[parts].path, stops: { $0 % 2 == 0 }
            ) { try body(folder[parts], $0) }
            #expect(attempts > 1, "\(name)")
            #expect(try weights(whole) == weights(parts), "\(name)")
            let metrics = try [whole, parts].map { try Data(contentsOf: folder["\($0)/metrics.jsonl"]) }
            #expect(metrics[0] == metrics[1], "\(name)")
        }
    }

    @Test("threads change no bit, and the result is in bfloat16")
    func threads() throws {
        for threads in [1, 2] { try supervised(run(threads: threads)).run(in: folder["sft-\(threads)"], environment) }
        #expect(try weights("sft-1") == weights("sft-2"))
        let model = try LanguageModel.load(folder["sft-1/final"]).decoder
        let start = try LanguageModel.load(folder["sft/final"]).decoder
        var changed = 0
        for (own, old) in zip(model.parameters(ofLayer: 1), start.parameters(ofLayer: 1)) where own.value.shape.rank == 2 {
            #expect(own.value.values.allSatisfy { $0.bitPattern & 0xFFFF == 0 }, "\(own.name)")
            if !own.value.isIdentical(to: old.value) { changed += 1 }
        }
        #expect(changed > 0)
        // frozen ones are as they were
        for (own, old) in zip(model.parameters(ofLayer: 0), start.parameters(ofLayer: 0)) { #expect(own.value.isIdentical(to: old.value)) }
    }

    @Test("a run says what is saved, and keeps its format")
    func kept() throws {
        var lines: [String] = []
        try policy(run()).run(in: folder["ppo"], listening { lines.append($0) })
        #expect(lines.contains { $0.hasPrefix("trained weights are kept as bf16 and rounded at random: ") }, "\(lines)")
        #expect(throws: RunFolderError.self) { try policy(run("f32")).run(in: folder["ppo"], environment) }
        #expect(!RunSession.mayChange.contains("master_dtype"))
    }

    @Test("values that do not exist, and programs that train nothing, are refused by name")
    func refused() throws {
        var settings = run("f16")
        let unknown = #expect(throws: InvalidSetting.self) { try settings.validate() }
        #expect(unknown?.message == "--master-dtype is 'f16'; expected f32 or bf16")
        for format in MasterFormat.allCases {
            settings.masterDtype = format.rawValue
            try settings.validate()
        }
        #expect(try RunSettings().values["master_dtype"] == .string("f32"))
        settings.gradientDtype = "int8"
        let gradients = #expect(throws: InvalidSetting.self) { try settings.validate() }
        #expect(gradients?.message == "--gradient-dtype is 'int8'; expected f32 or bf16")
        #expect(!RunSession.mayChange.contains("gradient_dtype"))
        var drawn = BestOfNStage()
        (drawn.bestOfN.modelName, drawn.bestOfN.numReturnSequences, drawn.bestOfN.evaluationSplits) = ("x", 2, ["test"])
        (drawn.bestOfN.referenceModel, drawn.reward.rfModelDir, drawn.run) = ("x", folder["y"].path, run())
        var diversity = DiversityStage()
        diversity.run = run()
        for stage in [drawn, diversity] as [any GroupedSettings] {
            let problem = #expect(throws: (any Error).self) { try stage.validate() }
            #expect("\(problem ?? CancellationError())".contains("bf16 has no effect here"), "\(String(describing: problem))")
        }
    }
}
