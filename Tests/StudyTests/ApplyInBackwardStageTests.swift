import Data
import Foundation
import Study
import Testing
import Train
import _TestSupport

/// `--apply-in-backward true`: the bytes of the usual run, in every training program.
@Suite struct ApplyInBackwardStageTests {
    private let folder: TemporaryFolder
    private let environment: StageEnvironment

    init() throws { (folder, environment) = try TinyStudy.withSupervisedRun() }

    private var run: RunSettings {
        var run = RunSettings()
        run.threads = 1
        return run
    }

    private func training(_ inBackward: Bool) -> TrainingSettings {
        var training = TrainingSettings()
        (training.maxSteps, training.perDeviceTrainBatchSize, training.saveSteps) = (4, 4, 2)
        (training.freezeLayers, training.learningRate, training.loggingSteps) = (0.5, 0.01, 1)
        (training.maxGradNorm, training.applyInBackward, training.gradientCheckpointing) = (0, inBackward, true)
        return training
    }

    private func supervised(_ inBackward: Bool) -> SFTStage {
        var stage = SFTStage()
        (stage.model.modelName, stage.training, stage.run) = (folder["sft"].path, training(inBackward), run)
        (stage.data.targetEvalDatapoints, stage.evaluation.doEval) = (4, false)
        return stage
    }

    private func reward(_ inBackward: Bool) -> RewardModelStage {
        var stage = RewardModelStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        (stage.sampling.maxNewTokens, stage.training, stage.run) = (6, training(inBackward), run)
        return stage
    }

    private func preference(_ inBackward: Bool) -> PreferenceStage {
        let reward = reward(inBackward)
        var stage = PreferenceStage()
        (stage.comparisons, stage.sampling, stage.run, stage.training) = (reward.comparisons, reward.sampling, run, reward.training)
        stage.preference.klPrompts = 0
        return stage
    }

    private func policy(_ inBackward: Bool) -> PPOStage {
        var stage = PPOStage()
        (stage.policy.modelName, stage.reward.rewardFunction, stage.run) = (folder["sft"].path, "length", run)
        (stage.policy.totalSteps, stage.policy.checkpointSteps, stage.policy.freezeLayers) = (3, 1, 0.5)
        (stage.policy.rolloutBatchSize, stage.policy.learnBatchSize, stage.policy.ppoEpochs) = (4, 4, 2)
        (stage.policy.adamLearningRate, stage.sampling.maxNewTokens, stage.data.targetEvalDatapoints) = (0.01, 6, 4)
        stage.policy.applyInBackward = inBackward
        return stage
    }

    private func file(_ run: String, _ name: String) throws -> Foundation.Data { try Data(contentsOf: folder["\(run)/\(name)"]) }

    @Test("weights and metrics are those of the usual run")
    func same() throws {
        let stages: [(name: String, run: (Bool, URL) throws -> Void)] = [
            ("sft", { try supervised($0).run(in: $1, environment) }), ("rm", { try reward($0).run(in: $1, environment) }),
            ("dpo", { try preference($0).run(in: $1, environment) }), ("ppo", { try policy($0).run(in: $1, environment) }),
        ]
        for (name, run) in stages {
            for inBackward in [false, true] { try run(inBackward, folder["\(name)-\(inBackward)"]) }
            for path in ["final/model.safetensors", "metrics.jsonl"] {
                #expect(try file("\(name)-true", path) == file("\(name)-false", path), "\(name): \(path)")
            }
        }
    }

    @Test("a run may change it when it resumes")
    func resumed() throws {
        try supervised(false).run(in: folder["whole"], environment)
        var stopped = environment
        stopped.shouldStop = { true }
        #expect(throws: (any Error).self) { try supervised(true).run(in: folder["parts"], stopped) }
        try supervised(false).run(in: folder["parts"], environment)
        #expect(try file("whole", "final/model.safetensors") == file("parts", "final/model.safetensors"))
    }

    @Test("options that need all gradients at once are refused by name")
    func refused() throws {
        func problem(_ change: (inout TrainingSettings) -> Void) -> String {
            var settings = training(true)
            change(&settings)
            let error = #expect(throws: InvalidSetting.self) { try settings.validate() }
            return error?.message ?? ""
        }
        try training(true).validate()
        #expect(problem { $0.maxGradNorm = 1 }.hasPrefix("--apply-in-backward true and --max-grad-norm 1.0 cannot be combined: "))
        #expect(problem { $0.maxGradNorm = 1 }.contains("--max-grad-norm 0 disables it"))
        #expect(problem { $0.gradientAccumulationSteps = 4 }.contains("--gradient-accumulation-steps 4"))
        #expect(problem { $0.skipBadBatches = 2 }.contains("--skip-bad-batches 2"))
        var policy = PolicySettings()
        policy.applyInBackward = true
        try policy.validate()
        policy.gradNormClipping = 0.5
        let error = #expect(throws: InvalidSetting.self) { try policy.validate() }
        #expect(error?.message.contains("--grad-norm-clipping 0.5") == true)
    }
}
