import Data
import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Policy optimisation that distils best-of-N.
@Suite struct DistillationStageTests {
    private let folder: TemporaryFolder
    private let tiny: StageEnvironment

    init() throws {
        (folder, tiny) = try TinyStudy.withSupervisedRun()
    }

    private func weights(_ run: String) throws -> Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }

    private func samples(_ splits: [String], n: Int = 5) throws {
        var best = BestOfNStage()
        (best.bestOfN.modelName, best.bestOfN.numReturnSequences) = (folder["sft"].path, n)
        (best.bestOfN.evaluationSplits, best.reward.rewardFunction) = (splits, "length")
        (best.data.dataset, best.data.targetEvalDatapoints, best.sampling.maxNewTokens) = ("generated", 8, 6)
        best.run.threads = 1
        try best.run(in: folder["bon"], tiny)
    }

    private var distillation: PPOStage {
        var stage = PPOStage()
        stage.policy.modelName = folder["sft"].path
        (stage.policy.totalSteps, stage.policy.maxPrompts, stage.policy.rolloutBatchSize, stage.policy.learnBatchSize) = (2, 8, 4, 4)
        (stage.policy.trainingTargetEvalDatapoints, stage.policy.logSteps, stage.policy.tableLogs) = (4, 1, 1)
        (stage.reward.rewardFunction, stage.data.dataset, stage.sampling.maxNewTokens) = ("length", "generated", 6)
        (stage.distillation.distilBestOfN, stage.distillation.distilledN) = (folder["bon"].path, 4)
        (stage.rewards.initKlCoef, stage.rewards.klApprox) = (1, 1)
        stage.run.threads = 1
        return stage
    }

    @Test("train-ppo learns from (N − 1) log F, F of the samples of each prompt")
    func distils() throws {
        try samples(["train", "validation", "ood_validation"])
        let run = try distillation.run(in: folder["ppo"], tiny)
        let known = try ["train", "validation", "ood_validation"].flatMap { try CompletedRun(folder["bon"]).table($0) }
        let length = try #require(try distillation.reward.withoutPolicy())
        let names = try Tables.names(inRun: folder["ppo"])
        #expect(!names.isEmpty)
        var seen = 0
        for row in try names.flatMap({ try run.table($0) }) {
            let own = try length.rewards(for: [RewardRequest(query: row.input, response: row.response, reference: row.reference)])[0]
            let others = known.filter { $0.input == row.input }.compactMap(\.reward).sorted()
            #expect(others.count == 5)
            expectClose(
                [row.reward ?? .nan], [3 * log(DistilledBestOfN.probability(of: own, among: others))], relative: 1e-5, absolute: 1e-6)
            seen += 1
        }
        #expect(seen > 0 && Set(known.map(\.reward)).count > 2)
        #expect(try weights("ppo") != weights("sft"))
    }

    @Test("a prompt without samples is named before anything is trained")
    func missingSamples() throws {
        try samples(["train"])
        let error = #expect(throws: InvalidSetting.self) { try distillation.run(in: folder["ppo"], tiny) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("has no samples for"))
        var stage = distillation
        (stage.distillation.distilBestOfN, stage.distillation.distilledN) = (nil, 4)
        #expect(throws: InvalidSetting.self) { try stage.run(in: folder["ppo"], tiny) }
        (stage.distillation.distilBestOfN, stage.distillation.distilledN) = (folder["bon"].path, 1)
        #expect(throws: InvalidSetting.self) { try stage.run(in: folder["ppo"], tiny) }
        #expect(!FileManager.default.fileExists(atPath: folder["ppo"].path))
    }
}
