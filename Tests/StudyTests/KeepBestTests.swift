import Data
import Formats
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// `--keep-best`: the result is the model of the best evaluation.
@Suite struct KeepBestTests {
    private let folder: TemporaryFolder
    private let environment: StageEnvironment

    init() throws { (folder, environment) = try TinyStudy.withSupervisedRun() }

    /// A supervised run whose first steps are so large that evaluations become worse; from the fifth step on they are better than at first.
    private func supervised(keeping metric: String?, steps: Int = 8) -> SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.evalSteps) = (steps, 4, 1)
        (stage.training.learningRate, stage.training.freezeLayers, stage.training.saveSteps) = (0.5, 0, 3)
        stage.training.lrSchedulerType = "constant"
        (stage.data.targetEvalDatapoints, stage.run.threads, stage.saving.keepBest) = (4, 1, metric)
        return stage
    }

    private func weights(_ path: String) throws -> Foundation.Data { try Data(contentsOf: folder["\(path)/model.safetensors"]) }

    private func values(_ run: String, _ name: String) throws -> [(step: Int, value: Double)] {
        try MetricsFile.read(inRun: folder[run]).compactMap { line in line.values[name].map { (line.step, $0) } }
    }

    @Test("the result is the model of the best evaluation, not of the last step")
    func best() throws {
        let metric = "ood_validation_loss"
        try supervised(keeping: metric, steps: 3).run(in: folder["run"], environment)
        let found = try values("run", metric)
        let best = try #require(found.min { $0.value < $1.value })
        let last = try #require(found.last)
        // the result is measured once more, so that the last number is its own
        #expect(found.count == 5 && best.step < last.step && best.value == last.value && found[3].value > best.value, "\(found)")
        #expect(try weights("run/final") == weights("run/best"))
        let record = try String(contentsOf: folder["run/best/best.json"], encoding: .utf8)
        #expect(record.contains("\"step\":\(best.step)") && record.contains("\"metric\":\"\(metric)\""))
        // measured again, the result has the loss of that evaluation
        var again = supervised(keeping: nil, steps: 3)
        (again.model.modelName, again.evaluation.doTrain) = (folder["run"].path, false)
        try again.run(in: folder["again"], environment)
        #expect(try #require(values("again", metric).last?.value) == best.value)
        // and other runs end with the last one
        try supervised(keeping: nil, steps: 3).run(in: folder["plain"], environment)
        #expect(try weights("plain/final") != weights("run/final"))
    }

    @Test("a run that falls and is stopped again and again has the same result")
    func resumed() throws {
        try supervised(keeping: "validation_loss").run(in: folder["whole"], environment)
        let attempts = try TinyStudy.fallingAndStopping(environment, first: 3, more: 4, path: folder["parts"].path, stops: { $0 % 3 == 0 })
        {
            try supervised(keeping: "validation_loss").run(in: folder["parts"], $0)
        }
        #expect(attempts > 3)
        #expect(try weights("parts/final") == weights("whole/final"))
        for name in ["metrics.jsonl", "best/best.json"] {
            #expect(try Data(contentsOf: folder["parts/\(name)"]) == Data(contentsOf: folder["whole/\(name)"]))
        }
    }

    @Test("reward models, preference optimisation and reinforcement learning keep theirs")
    func otherStages() throws {
        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        (reward.comparisons.simulatedPrompts, reward.comparisons.simulatedEvaluationPrompts) = (8, 4)
        (reward.sampling.maxNewTokens, reward.run.threads, reward.saving.keepBest) = (6, 1, "validation_accuracy")
        (reward.training.maxSteps, reward.training.perDeviceTrainBatchSize, reward.training.evalSteps) = (4, 4, 1)
        (reward.training.learningRate, reward.training.freezeLayers) = (0.3, 0)
        try reward.run(in: folder["rm"], environment)
        #expect(try weights("rm/final") == weights("rm/best"))

        var preference = PreferenceStage()
        (preference.comparisons, preference.sampling, preference.run) = (reward.comparisons, reward.sampling, reward.run)
        (preference.training, preference.preference.klPrompts, preference.saving.keepBest) = (reward.training, 0, "validation_loss")
        try preference.run(in: folder["dpo"], environment)
        #expect(try weights("dpo/final") == weights("dpo/best"))

        var policy = PPOStage()
        (policy.policy.modelName, policy.reward.rewardFunction) = (folder["sft"].path, "length")
        (policy.policy.totalSteps, policy.policy.freezeLayers, policy.policy.evaluationSteps) = (2, 0, 1)
        (policy.sampling.maxNewTokens, policy.run.threads, policy.saving.keepBest) = (6, 1, "validation_score")
        policy.data.targetEvalDatapoints = 4
        try policy.run(in: folder["ppo"], environment)
        #expect(try weights("ppo/final") == weights("ppo/best"))
    }

    @Test("a lost, replaced or damaged folder is noticed before a run goes on")
    func damage() throws {
        var stopping = environment
        var steps = 0
        stopping.sinks = [ClosureSink { if case .progressed(let step, _, _, _) = $0 { steps = step } }]
        stopping.shouldStop = { steps >= 6 }
        #expect(throws: RunStopped.self) { try supervised(keeping: "validation_loss").run(in: folder["run"], stopping) }
        let best = folder["run/best"]
        let copy = folder["copy"]
        try FileManager.default.copyItem(at: best, to: copy)
        func restore() throws {
            if FileManager.default.fileExists(atPath: best.path) { try FileManager.default.removeItem(at: best) }
            try FileManager.default.copyItem(at: copy, to: best)
        }
        func resume() throws { try supervised(keeping: "validation_loss").run(in: folder["run"], environment) }
        var weights = try Data(contentsOf: best.appendingPathComponent("model.safetensors"))
        weights[weights.count - 3] ^= 1
        try weights.write(to: best.appendingPathComponent("model.safetensors"))
        #expect(throws: FileError.self) { try resume() }
        try restore()
        try FileManager.default.removeItem(at: best)
        #expect(throws: FileError.self) { try resume() }
        try restore()
        try resume()
    }

    /// A kill while its files are removed one by one would leave a damaged folder, with which no run can begin.
    @Test("the folder of a run that begins again gets another name before its files are removed")
    func cutBack() throws {
        struct Fall: Error {}
        var falling = environment
        falling.sinks = [ClosureSink { if case .progressed = $0 { throw Fall() } }]
        let stage = supervised(keeping: "validation_loss", steps: 1)
        #expect(throws: Fall.self) { try stage.run(in: folder["run"], falling) }
        // the evaluation before the first step has written it, and there is no checkpoint
        let descriptor = open(folder["run/best"].path, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        #expect(descriptor >= 0)
        try stage.run(in: folder["run"], environment)
        // where the system tells it, the last name of the folder that was open
        if let last = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)") {
            #expect(last.contains("/.best.partial-"), "\(last)")
        }
        #expect(try Data(contentsOf: folder["run/best/best.json"]).count > 0)
    }

    @Test("a split that the data lacks is refused before training")
    func missingSplit() throws {
        var own = environment
        own.corpus?.splits["ood_validation"] = []
        #expect(throws: (any Error).self) { try supervised(keeping: "ood_validation_loss").run(in: folder["no"], own) }
    }

    @Test("an adapter keeps its own weights")
    func adapter() throws {
        var stage = supervised(keeping: "validation_loss")
        stage.adapter.loraRank = 2
        try stage.run(in: folder["lora"], environment)
        let names = ["lora/final/adapter_model.safetensors", "lora/best/adapter_model.safetensors"]
        #expect(try Data(contentsOf: folder[names[0]]) == Data(contentsOf: folder[names[1]]))
    }

    @Test(
        "names of other numbers are refused before anything is done", arguments: ["loss", "validation_kl", "final_test_loss", "accuracy"])
    func refused(metric: String) throws {
        #expect(throws: InvalidSetting.self) { try supervised(keeping: metric).run(in: folder["no"], environment) }
    }
}
