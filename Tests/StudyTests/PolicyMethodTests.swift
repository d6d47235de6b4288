import Foundation
import Models
import Runs
import Study
import Testing
import _TestSupport

/// Methods of policy optimisation, from settings to a run folder.
@Suite struct PolicyMethodTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyStudy.makeSupervisedRun(in: folder)
    }

    private func stage(_ advantage: String) -> PPOStage {
        var stage = PPOStage()
        stage.policy.modelName = folder["sft"].path
        stage.data.dataset = "generated"
        (stage.policy.totalSteps, stage.policy.learnBatchSize, stage.policy.logSteps) = (3, 8, 1)
        (stage.policy.maxPrompts, stage.policy.trainingTargetEvalDatapoints) = (16, 4)
        (stage.reward.rewardFunction, stage.method.advantage) = ("length", advantage)
        (stage.sampling.maxNewTokens, stage.run.threads) = (6, 1)
        return stage
    }

    private func metrics(_ run: String) throws -> String { try String(contentsOf: folder["\(run)/metrics.jsonl"], encoding: .utf8) }

    @Test("methods without a value head leave none in the model, and those without a KL no KL in the metrics")
    func methods() throws {
        for (name, tracksKL) in [("rloo", true), ("grpo", false)] {
            var stage = stage(name)
            (stage.rewards.trackKl, stage.rewards.initKlCoef) = (tracksKL, tracksKL ? 0.05 : 0)
            try stage.run(in: folder[name])
            #expect(try LanguageModel.load(folder["\(name)/final"]).head == nil)
            let metrics = try metrics(name)
            #expect(metrics.contains("frac_reward_zero_std") && metrics.contains("clipped_high_fraction"))
            #expect(metrics.contains("kl_sequence") == tracksKL)
        }
    }

    @Test("a run that is stopped behind every step ends with the same bytes", arguments: ["grpo", "remax", "reinforce++"])
    func resumes(_ name: String) throws {
        try stage(name).run(in: folder["whole"])
        var environment = StageEnvironment()
        environment.shouldStop = { true }
        var stops = 0
        while stops < 10 {
            do {
                try stage(name).run(in: folder["parts"], environment)
                break
            } catch is RunStopped { stops += 1 }
        }
        #expect(stops == 2)
        for file in ["final/model.safetensors", "metrics.jsonl"] {
            #expect(try Data(contentsOf: folder["whole/\(file)"]) == Data(contentsOf: folder["parts/\(file)"]), "\(file)")
        }
    }
}
