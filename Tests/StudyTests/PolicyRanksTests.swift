import Runs
import Study
import Testing
import _TestSupport

/// Policy optimisation as a stage on several ranks, against one process.
@Suite struct PolicyRanksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TinyStudy.withSupervisedRun().folder }

    @Sendable private static func policy(_ folder: TemporaryFolder) -> PPOStage {
        var stage = PPOStage()
        stage.policy.modelName = folder["sft"].path
        (stage.reward.rewardFunction, stage.reward.tokenIdRfThreshold) = ("token-id", 140)
        (stage.policy.totalSteps, stage.policy.checkpointSteps, stage.policy.freezeLayers) = (4, 2, 0.5)
        (stage.policy.rolloutBatchSize, stage.policy.learnBatchSize, stage.policy.ppoEpochs) = (5, 5, 2)
        (stage.policy.tokensPerPass, stage.policy.adamLearningRate) = (1, 1e-3)
        (stage.policy.logSteps, stage.policy.tableLogs, stage.policy.evaluationSteps) = (1, 2, 2)
        (stage.policy.trainingTargetEvalDatapoints, stage.policy.evaluationSplits) = (5, ["test"])
        (stage.data.targetEvalDatapoints, stage.sampling.maxNewTokens) = (4, 6)
        (stage.saving.keepBest, stage.run.threads) = ("validation_score", 1)
        return stage
    }

    /// Expects the metrics of another run up to rounding, the same texts and rewards in tables, and the same files.
    private func expectSame(_ run: String, _ other: String) throws {
        // some steps let rounding errors grow
        try RankStudy.expectSameMetrics(folder[run], folder[other], losses: 5e-4, others: 5e-4)
        let tables = try Tables.names(inRun: folder[other])
        #expect(try !tables.isEmpty && Tables.names(inRun: folder[run]) == tables)
        for table in tables {
            let (a, b) = (try CompletedRun(folder[run]).table(table), try CompletedRun(folder[other]).table(table))
            #expect(!a.isEmpty && a.map(\.id) == b.map(\.id) && a.map(\.response) == b.map(\.response), "\(table)")
            #expect(a.map(\.reward) == b.map(\.reward), "\(table)")
        }
        for part in ["", "/final"] { #expect(try folder.names(in: run + part) == folder.names(in: other + part)) }
    }

    @Test("PPO with evaluations, tables and the best model kept")
    func policy() throws {
        let folder = folder
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.policy(folder) } }
        try Self.policy(folder).run(in: folder["alone"], TinyStudy.environment)
        // a group of one rank writes the bytes of a run without a group
        let tables = try folder.names(in: "alone/tables").map { "tables/\($0)" }
        try folder.expectSame(["metrics.jsonl", "final/model.safetensors"] + tables, of: "1", and: "alone")
        #expect(try folder.names(in: "alone").contains("best") && tables.contains("tables/rollouts.jsonl"))
        for ranks in 2...3 { try expectSame("\(ranks)", "1") }
    }

    @Test("groups of responses, with a diversity reward and several reward functions")
    func groups() throws {
        let folder = folder
        @Sendable func stage() -> PPOStage {
            var stage = Self.policy(folder)
            (stage.method.advantage, stage.method.numGenerations, stage.policy.ppoEpochs) = ("grpo", 3, nil)
            (stage.reward.rewardFunction, stage.diversity.diversityReward) = ("token-id,length:0.1", "add")
            (stage.policy.rolloutBatchSize, stage.policy.learnBatchSize, stage.policy.totalSteps) = (4, 6, 2)
            return stage
        }
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"], stage) }
        let steps = try MetricsFile.read(inRun: folder["1"])
        #expect(steps.contains { $0.values.keys.contains { $0.hasSuffix("reward_length") } })
        for ranks in 2...3 { try expectSame("\(ranks)", "1") }
    }

    @Test("a stop that one rank asks for is one of all; the run continues with another number of ranks", arguments: [1, 2, 3])
    func resuming(ranks: Int) throws {
        let folder = folder
        RankStudy.run(2, in: folder["whole"]) { Self.policy(folder) }
        let errors = RankStudy.stopped(atCall: 3, in: folder["run"]) { Self.policy(folder) }
        try RankStudy.expectStopped(errors, at: 3, in: folder["run"])
        #expect(try folder.names(in: "run/checkpoints") == ["step-000002", "step-000003"])
        RankStudy.run(ranks, in: folder["run"]) { Self.policy(folder) }
        try expectSame("run", "whole")
        if ranks == 2 {
            try folder.expectSame(["metrics.jsonl", "final/model.safetensors"], of: "run", and: "whole")
        }
    }

    @Test("a reward that fails on one rank ends all ranks, and the run can be repeated", arguments: [2, 3])
    func failingReward(ranks: Int) throws {
        let folder = folder
        RankStudy.expectFailingReward(ranks, in: folder["run"]) { Self.policy(folder) }
        RankStudy.run(ranks, in: folder["run"]) { Self.policy(folder) }
    }

    @Test("the ranks above 0 send no events and show nothing")
    func firstRankReports() throws {
        let folder = folder
        try RankStudy.expectFirstRankReports(in: folder["run"], "optimizer_steps", steps: 4) { Self.policy(folder) }
    }
}
