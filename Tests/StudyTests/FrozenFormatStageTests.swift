import Data
import Foundation
import Models
import Runs
import Study
import Testing
import Train
import _TestSupport

/// `--frozen-dtype`: every training program and best-of-N with frozen weights in narrow formats.
@Suite struct FrozenFormatStageTests {
    private let folder: TemporaryFolder
    private let environment: StageEnvironment

    init() throws { (folder, environment) = try TinyStudy.withSupervisedRun() }

    private func run(_ format: String, _ dtype: String = "f32") -> RunSettings {
        var run = RunSettings()
        (run.frozenDtype, run.dtype, run.threads) = (format, dtype, 1)
        return run
    }

    private var training: TrainingSettings {
        var training = TrainingSettings()
        (training.maxSteps, training.perDeviceTrainBatchSize, training.saveSteps) = (4, 4, 2)
        (training.freezeLayers, training.learningRate, training.loggingSteps) = (0.5, 0.01, 1)
        training.lrSchedulerType = "constant"
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

    private func bestOfN(_ run: RunSettings, reward: String) -> BestOfNStage {
        var stage = BestOfNStage()
        (stage.bestOfN.modelName, stage.bestOfN.numReturnSequences, stage.bestOfN.evaluationSplits) = (folder["sft"].path, 2, ["test"])
        (stage.bestOfN.referenceModel, stage.reward.rfModelDir) = (folder["sft/final"].path, folder[reward].path)
        (stage.sampling.maxNewTokens, stage.data.targetEvalDatapoints, stage.run) = (6, 3, run)
        return stage
    }

    /// Every training stage with some settings, as what runs it in a folder.
    private func stages(_ run: RunSettings) -> [(name: String, run: (URL, StageEnvironment) throws -> Void)] {
        [
            ("sft", { try supervised(run).run(in: $0, $1) }), ("rm", { try reward(run).run(in: $0, $1) }),
            ("dpo", { try preference(run).run(in: $0, $1) }), ("ppo", { try policy(run).run(in: $0, $1) }),
        ]
    }

    /// The environment, and the lines that a run says in it.
    private func listening(_ lines: @escaping (String) -> Void) -> StageEnvironment {
        var environment = environment
        environment.sinks = [ClosureSink { if case .noted(let line) = $0 { lines(line) } }]
        return environment
    }

    private func weights(_ run: String) throws -> Foundation.Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }

    @Test(
        "a run that falls and is stopped again and again has the same result",
        arguments: [("bf16", "f32"), ("int8", "f32"), ("bf16", "bf16"), ("int8", "bf16")])
    func resumed(format: String, dtype: String) throws {
        for (name, body) in stages(run(format, dtype)) {
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

    @Test("a run says what is held, keeps its format, and rounds the frozen weights")
    func formats() throws {
        var results: Set<Foundation.Data> = []
        for format in ["f32", "int8"] {
            var lines: [String] = []
            let result = try supervised(run(format)).run(in: folder[format], listening { lines.append($0) })
            #expect(lines.contains { $0.hasPrefix("frozen weights are held as int8: ") } == (format == "int8"), "\(lines)")
            #expect(try result.configuration()?.options["frozen_dtype"] == .string(format))
            results.insert(try weights(format))
        }
        #expect(results.count == 2)
        #expect(throws: RunFolderError.self) { try supervised(run("f32")).run(in: folder["int8"], environment) }
    }

    @Test("best-of-N holds weights once that policy, reward model and reference have in common")
    func sharing() throws {
        try reward(run("f32")).run(in: folder["rm"], environment)
        var rows: [[SampleRow]] = []
        for format in ["f32", "int8"] {
            var lines: [String] = []
            rows.append(
                try bestOfN(run(format), reward: "rm").run(in: folder["bon-\(format)"], listening { lines.append($0) }).table("test"))
            // the reward model trained the second of two layers
            #expect(lines.contains { $0.hasPrefix("the reward model shares 1 layers with the policy") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("the reference model shares 2 layers with the policy") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("frozen weights are held as int8: ") } == (format == "int8"), "\(lines)")
            #expect(lines.contains { $0.hasPrefix("memory: ") && $0.contains("weights in files ") }, "\(lines)")
        }
        #expect(rows[0].count == 6 && rows[1].count == 6)
        #expect(rows[0].map(\.reward) != rows[1].map(\.reward))
    }

    @Test("values that do not exist, and formats without effect, are refused by name")
    func refused() throws {
        func problem(_ stage: some GroupedSettings) -> String {
            do {
                try stage.validate()
                return ""
            } catch { return "\(error)" }
        }
        var settings = run("int4")
        let unknown = #expect(throws: InvalidSetting.self) { try settings.validate() }
        #expect(unknown?.message == "--frozen-dtype is 'int4'; expected f32, bf16 or int8")
        for format in FrozenFormat.allCases {
            settings.frozenDtype = format.rawValue
            try settings.validate()
        }
        #expect(try RunSettings().values["frozen_dtype"] == .string("f32"))
        #expect(!RunSession.mayChange.contains("frozen_dtype"))
        var scratch = SFTStage()
        (scratch.model.fromScratch, scratch.run) = (true, run("int8"))
        #expect(problem(scratch).contains("has no effect with fromScratch"), "\(problem(scratch))")
        scratch.run = run("f32")
        #expect(problem(scratch) == "")
        var drawn = bestOfN(run("bf16"), reward: "rm")
        (drawn.bestOfN.samplesFrom, drawn.bestOfN.referenceModel, drawn.bestOfN.modelName) = ("bon", nil, "")
        #expect(problem(drawn).contains("has no effect with samplesFrom"), "\(problem(drawn))")
        var diversity = DiversityStage()
        diversity.run = run("int8")
        #expect(problem(diversity).contains("frozenDtype int8 has no effect here"), "\(problem(diversity))")
    }
}
