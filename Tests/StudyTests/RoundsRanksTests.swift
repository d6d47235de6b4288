import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Rounds of rejection sampling and training on several ranks against one process.
@Suite struct RoundsRanksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TinyStudy.withSupervisedRun().folder }

    /// Two rounds on five prompts. A rank answers two prompts at a time, which follows from the 128 answers to each.
    @Sendable private static func stage(_ folder: TemporaryFolder) -> SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        (stage.data.dataset, stage.data.maxTrainExamples, stage.data.targetEvalDatapoints) = ("generated", 5, 3)
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.loggingSteps) = (3, 4, 1)
        (stage.training.saveSteps, stage.training.learningRate, stage.training.freezeLayers) = (1, 1e-3, 0.5)
        (stage.reward.rewardFunction, stage.reward.tokenIdRfThreshold) = ("token-id,length:-0.01", 140)
        (stage.sampling.maxNewTokens, stage.run.threads) = (4, 1)
        (stage.rounds.rounds, stage.rounds.roundSamples, stage.rounds.roundUnfinished) = (2, 128, true)
        return stage
    }

    private let inner = ["rounds/1/samples", "rounds/1/sft", "rounds/2/samples", "rounds/2/sft"]

    @Test("the answers that are kept, the metrics and the files of any number of ranks")
    func rounds() throws {
        let folder = folder
        try Self.stage(folder).run(in: folder["alone"], TinyStudy.environment)
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.stage(folder) } }
        try folder.expectSame(["metrics.jsonl", "final/model.safetensors", "tables/round_2.jsonl"], of: "1", and: "alone")
        for ranks in 2...3 {
            try RankStudy.expectSameMetrics(folder["\(ranks)"], folder["1"])
            #expect(try folder.names(in: "\(ranks)") == folder.names(in: "1"))
            // the first round samples with the same weights; the second with those that the ranks have trained
            try folder.expectSame(["tables/round_1.jsonl", "rounds/1/samples/tables/train.jsonl"], of: "\(ranks)", and: "1")
            for part in inner { #expect(try folder.names(in: "\(ranks)/\(part)") == folder.names(in: "1/\(part)"), "\(part)") }
        }
    }

    @Test(
        "a stop while answers are sampled or a round is trained; the rounds continue with another number of ranks",
        arguments: [(1, 3), (4, 1)])
    func resuming(call: Int, ranks: Int) throws {
        let folder = folder
        RankStudy.run(2, in: folder["whole"]) { Self.stage(folder) }
        let errors = RankStudy.stopped(atCall: call, in: folder["run"]) { Self.stage(folder) }
        try RankStudy.expectStopped(errors, at: 0, in: folder["run"])
        #expect(try folder.names(in: "run/checkpoints") == ["step-000000"])
        RankStudy.run(ranks, in: folder["run"]) { Self.stage(folder) }
        try RankStudy.expectSameMetrics(folder["run"], folder["whole"])
        try folder.expectSame(["tables/round_1.jsonl"], of: "run", and: "whole")
    }

    @Test("only the first rank reports")
    func firstRankReports() throws {
        let folder = folder
        let errors = RankStudy.errors(
            2, in: { _ in folder["run"] },
            environment: { rank, environment in environment.sinks = [ClosureSink { event in #expect(rank == 0, "\(event)") }] }
        ) { _ in Self.stage(folder) }
        #expect(errors.allSatisfy { $0 == nil })
        #expect(try MetricsFile.read(inRun: folder["run"]).map(\.step) == [1, 2])
    }

    @Test("a round that keeps no answers ends all ranks with the error of rank 0")
    func nothingKept() throws {
        let folder = folder
        let errors = RankStudy.errors(3, in: { _ in folder["run"] }) { _ in
            var stage = Self.stage(folder)
            stage.rounds.roundThreshold = 100
            return stage
        }
        let message = try #require(errors[0] as? InvalidSetting).message
        #expect(message.contains("round 1 keeps no answers to 5 prompts"), "\(message)")
        for error in errors.dropFirst() {
            guard case .rankFailed(rank: 0, _)? = error as? CollectiveError else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }
}
