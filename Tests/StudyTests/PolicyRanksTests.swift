import Eval
import Foundation
import Runs
import Study
import Testing
import Train
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

    private func content(_ path: String) throws -> Data { try Data(contentsOf: folder[path]) }

    private func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder[path].path).sorted()
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
        for part in ["", "/final"] { #expect(try names(run + part) == names(other + part)) }
    }

    @Test("PPO with evaluations, tables and the best model kept")
    func policy() throws {
        let folder = folder
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.policy(folder) } }
        try Self.policy(folder).run(in: folder["alone"], TinyStudy.environment)
        // a group of one rank writes the bytes of a run without a group
        for file in try ["metrics.jsonl", "final/model.safetensors"] + names("alone/tables").map({ "tables/\($0)" }) {
            #expect(try content("1/\(file)") == content("alone/\(file)"), "\(file)")
        }
        #expect(try names("alone").contains("best") && names("alone/tables").contains("rollouts.jsonl"))
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
        let errors = RankStudy.errors(
            2, in: { _ in folder["run"] },
            environment: { rank, environment in
                // the second rank counts its calls, one for each step
                var calls = 0
                environment.shouldStop = {
                    calls += 1
                    return rank == 1 && calls == 3
                }
            }
        ) { _ in Self.policy(folder) }
        for error in errors {
            let stop = try #require(error as? RunStopped)
            #expect(stop.step == 3 && stop.path == folder["run"].path)
        }
        #expect(try names("run/checkpoints") == ["step-000002", "step-000003"])
        RankStudy.run(ranks, in: folder["run"]) { Self.policy(folder) }
        try expectSame("run", "whole")
        if ranks == 2 {
            for file in ["metrics.jsonl", "final/model.safetensors"] { #expect(try content("run/\(file)") == content("whole/\(file)")) }
        }
    }

    private struct Refused: Error, CustomStringConvertible { var description: String { "refused" } }

    @Test("a reward that fails on one rank ends all ranks, and the run can be repeated", arguments: [2, 3])
    func failingReward(ranks: Int) throws {
        let folder = folder
        let errors = RankStudy.errors(
            ranks, in: { _ in folder["run"] },
            environment: { rank, environment in
                environment.reward = ClosureReward { requests in
                    if rank == 1 { throw Refused() }
                    return requests.map { Double($0.response.count) }
                }
            }
        ) { _ in Self.policy(folder) }
        #expect(errors[1] is Refused)
        for (rank, error) in errors.enumerated() where rank != 1 {
            #expect(error as? CollectiveError == .rankFailed(rank: 1, message: "refused"))
        }
        RankStudy.run(ranks, in: folder["run"]) { Self.policy(folder) }
    }

    @Test("the ranks above 0 send no events and show nothing")
    func firstRankReports() throws {
        let folder = folder
        let errors = RankStudy.errors(
            2, in: { _ in folder["run"] },
            environment: { rank, environment in
                environment.sinks = [ClosureSink { event in #expect(rank == 0, "\(event)") }]
                environment.show = { text in #expect(rank == 0, "\(text)") }
            }
        ) { _ in Self.policy(folder) }
        #expect(errors.allSatisfy { $0 == nil })
        let steps = try MetricsFile.read(inRun: folder["run"]).filter { $0.values["optimizer_steps"] != nil }.map(\.step)
        #expect(steps == Array(1...4))
    }
}
