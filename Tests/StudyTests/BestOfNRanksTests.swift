import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Best-of-N as a stage on several ranks: the bytes of one process.
@Suite struct BestOfNRanksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TinyStudy.withSupervisedRun().folder }

    /// Seven prompts. A rank answers two at a time, which follows from the 128 responses to each.
    @Sendable private static func samples(_ folder: TemporaryFolder) -> BestOfNStage {
        var stage = BestOfNStage()
        stage.bestOfN.modelName = folder["sft"].path
        (stage.bestOfN.numReturnSequences, stage.bestOfN.evaluationSplits) = (128, ["test"])
        (stage.reward.rewardFunction, stage.reward.tokenIdRfThreshold) = ("token-id,length:-0.01", 140)
        (stage.data.dataset, stage.data.targetEvalDatapoints) = ("generated", 7)
        (stage.sampling.maxNewTokens, stage.run.threads) = (4, 1)
        return stage
    }

    /// Two groups for the first two prompts, the KL from a reference model, and a soft choice.
    @Sendable private static func grouped(_ folder: TemporaryFolder) -> BestOfNStage {
        var stage = samples(folder)
        (stage.bestOfN.groups, stage.bestOfN.groupedPrompts, stage.bestOfN.referenceModel) = (2, 2, folder["sft"].path)
        (stage.bestOfN.selection, stage.bestOfN.selectionTemperature) = ("soft", 0.1)
        return stage
    }

    @Sendable private static func sweep(_ folder: TemporaryFolder) -> BestOfNStage {
        var stage = samples(folder)
        stage.bestOfN.sweep = ["temperature=0.5,1"]
        return stage
    }

    /// The files of a run, except its configuration and its time.
    private func content(_ run: String) throws -> [String: Data] {
        let tables = try folder.names(in: "\(run)/tables").map { "tables/\($0)" }
        let files = ["metrics.jsonl", "final/complete.json", "final/curves.csv"] + tables
        return try Dictionary(uniqueKeysWithValues: files.map { ($0, try folder.content(of: "\(run)/\($0)")) })
    }

    /// The results of a sweep, and the files of its points.
    private func swept(_ run: String) throws -> [[String: Data]] {
        let table = try Dictionary(
            uniqueKeysWithValues: ["sweep.json", "sweep.md"].map { ($0, try folder.content(of: "\(run)/final/\($0)")) })
        return try [table] + folder.names(in: "\(run)/points").map { try content("\(run)/points/\($0)") }
    }

    @Test("samples, choices, groups, KL and curves of any number of ranks")
    func samples() throws {
        let folder = folder
        try Self.grouped(folder).run(in: folder["alone"], TinyStudy.environment)
        let rows = try CompletedRun(folder["alone"]).table("test")
        #expect(rows.count == 7 * 128 && rows.allSatisfy { $0.numbers["kl"] != nil })
        #expect(try CompletedRun(folder["alone"]).table("test_best_of_n").count == 9)
        for ranks in 1...3 {
            RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.grouped(folder) }
            #expect(try content("\(ranks)") == content("alone"), "\(ranks) ranks")
            #expect(try folder.names(in: "\(ranks)") == folder.names(in: "alone"), "\(ranks) ranks")
        }
    }

    @Test("all ranks answer prompts")
    func shares() throws {
        let folder = folder
        let errors = RankStudy.errors(
            3, in: { _ in folder["run"] },
            environment: { rank, environment in
                // the reward shows which rank has scored a response
                environment.reward = ClosureReward { requests in requests.map { _ in Double(rank) } }
            }
        ) { _ in Self.samples(folder) }
        #expect(errors.allSatisfy { $0 == nil })
        let rewards = try CompletedRun(folder["run"]).table("test").filter { $0.numbers["sample"] == 0 }.map(\.reward)
        #expect(rewards == [0, 0, 1, 1, 2, 2, 0])
    }

    @Test("a stop that one rank asks for is one of all; the run continues with another number of ranks", arguments: [1, 2, 3])
    func resuming(ranks: Int) throws {
        let folder = folder
        RankStudy.run(1, in: folder["whole"]) { Self.grouped(folder) }
        let errors = RankStudy.stopped(atCall: 2, in: folder["run"]) { Self.grouped(folder) }
        // two prompts with two groups, then two prompts of each rank
        try RankStudy.expectStopped(errors, at: 8, in: folder["run"])
        #expect(try folder.names(in: "run/checkpoints") == ["step-000004", "step-000008"])
        RankStudy.run(ranks, in: folder["run"]) { Self.grouped(folder) }
        #expect(try content("run") == content("whole"))
    }

    @Test("a choice among stored samples")
    func storedSamples() throws {
        let folder = folder
        RankStudy.run(2, in: folder["drawn"]) { Self.samples(folder) }
        for ranks in 1...3 {
            RankStudy.run(ranks, in: folder["\(ranks)"]) {
                var stage = Self.samples(folder)
                (stage.bestOfN.modelName, stage.bestOfN.samplesFrom, stage.bestOfN.numReturnSequences) = ("", folder["drawn"].path, 4)
                return stage
            }
        }
        for ranks in 2...3 { #expect(try content("\(ranks)") == content("1")) }
    }

    @Test("a sweep, which is stopped and continues with another number of ranks")
    func sweep() throws {
        let folder = folder
        for ranks in 1...2 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.sweep(folder) } }
        #expect(try folder.names(in: "1/points") == ["temperature-0.5", "temperature-1"])
        #expect(try swept("2") == swept("1"))
        let errors = RankStudy.stopped(atCall: 2, in: folder["run"]) { Self.sweep(folder) }
        try RankStudy.expectStopped(errors, at: 0, in: folder["run"])
        #expect(try folder.names(in: "run/checkpoints") == ["step-000000"])
        RankStudy.run(3, in: folder["run"]) { Self.sweep(folder) }
        #expect(try swept("run") == swept("1"))
    }

    @Test("a table that rank 0 cannot write ends all ranks, and the run continues")
    func failingTable() throws {
        let folder = folder
        RankStudy.run(1, in: folder["whole"]) { Self.samples(folder) }
        RankStudy.expectFailingSink(
            3, in: folder["run"],
            at: {
                // the last prompt comes after a checkpoint: three ranks answer six prompts at a time
                if case .progressed(7 * 128, _, _, _) = $0 { true } else { false }
            }
        ) { Self.samples(folder) }
        #expect(try folder.names(in: "run/checkpoints") == ["step-000006"])
        RankStudy.run(2, in: folder["run"]) { Self.samples(folder) }
        #expect(try content("run") == content("whole"))
    }

    @Test("a reward that fails on one rank ends all ranks", arguments: [2, 3])
    func failingReward(ranks: Int) {
        let folder = folder
        RankStudy.expectFailingReward(ranks, in: folder["run"]) { Self.samples(folder) }
    }

    @Test("ranks with other prompts are refused")
    func otherPrompts() throws {
        let folder = folder
        let errors = RankStudy.errors(
            3, in: { _ in folder["run"] },
            environment: { rank, environment in
                if rank == 2 { environment.corpus?.splits["test"]?.reverse() }
            }
        ) { _ in Self.samples(folder) }
        for error in errors { #expect(error as? CollectiveError == .rankDiffers(rank: 2, what: "the set of prompts")) }
    }
}
