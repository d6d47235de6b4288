import Data
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Stages on several ranks against one process: the same metrics up to rounding, the same tables, and one run folder.
@Suite struct RanksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TinyStudy.withSupervisedRun().folder }

    private static func train(_ training: inout TrainingSettings) {
        (training.maxSteps, training.perDeviceTrainBatchSize, training.loggingSteps, training.evalSteps) = (6, 5, 1, 3)
        (training.learningRate, training.freezeLayers, training.tokensPerPass) = (1e-3, 0.5, 1)
    }

    @Sendable private static func supervised(_ folder: TemporaryFolder) -> SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        train(&stage.training)
        stage.training.saveSteps = 2
        (stage.evaluation.doEval, stage.evaluation.evaluationSplits) = (true, ["test"])
        (stage.data.targetEvalDatapoints, stage.sampling.maxNewTokens) = (5, 6)
        (stage.saving.keepBest, stage.run.threads) = ("validation_loss", 1)
        return stage
    }

    @Sendable private static func reward(_ folder: TemporaryFolder) -> RewardModelStage {
        var stage = RewardModelStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        train(&stage.training)
        (stage.head.savePreds, stage.sampling.maxNewTokens, stage.run.threads) = (true, 6, 1)
        return stage
    }

    @Sendable private static func preference(_ folder: TemporaryFolder, _ loss: String) -> PreferenceStage {
        var stage = PreferenceStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        train(&stage.training)
        (stage.preference.loss, stage.preference.klPrompts) = (loss, 3)
        (stage.sampling.maxNewTokens, stage.run.threads) = (6, 1)
        return stage
    }

    @Test("supervised training, with texts of evaluations and the best model kept")
    func supervised() throws {
        let folder = folder
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.supervised(folder) } }
        try Self.supervised(folder).run(in: folder["alone"], TinyStudy.environment)
        // a group of one rank writes the bytes of a run without a group
        try folder.expectSame(["metrics.jsonl", "final/model.safetensors"], of: "1", and: "alone")
        for ranks in 2...3 {
            try RankStudy.expectSameMetrics(folder["\(ranks)"], folder["1"], losses: 1e-6)
            #expect(try folder.names(in: "\(ranks)") == folder.names(in: "1"))
            let tables = try folder.names(in: "1/tables")
            #expect(tables.contains("test.jsonl") && tables.contains("evaluation_validation.jsonl"))
            try folder.expectSame(tables.map { "tables/\($0)" }, of: "\(ranks)", and: "1")
        }
    }

    @Test("reward models on simulated comparisons, with predictions and a normalised head")
    func reward() throws {
        let folder = folder
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.reward(folder) } }
        for ranks in 2...3 {
            try RankStudy.expectSameMetrics(folder["\(ranks)"], folder["1"], losses: 1e-5)
            #expect(try folder.names(in: "\(ranks)") == folder.names(in: "1") && folder.names(in: "1").contains("predictions-validation"))
            try folder.expectSame(["comparisons/train.jsonl"], of: "\(ranks)", and: "1")
        }
    }

    @Test("preferences with a reference model and sampled KL, of pairs and single answers", arguments: ["sigmoid", "kto"])
    func preference(loss: String) throws {
        let folder = folder
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.preference(folder, loss) } }
        for ranks in 2...3 {
            try RankStudy.expectSameMetrics(folder["\(ranks)"], folder["1"], losses: 1e-5)
            #expect(try folder.names(in: "\(ranks)") == folder.names(in: "1") && folder.names(in: "1").contains("reference-train"))
        }
    }

    @Test("a low-rank adapter on two ranks")
    func adapter() throws {
        let folder = folder
        @Sendable func stage() -> PreferenceStage {
            var stage = Self.preference(folder, "sigmoid")
            (stage.adapter.loraRank, stage.preference.klPrompts) = (2, 0)
            return stage
        }
        for ranks in 1...2 { RankStudy.run(ranks, in: folder["\(ranks)"], stage) }
        try RankStudy.expectSameMetrics(folder["2"], folder["1"], losses: 1e-5)
        #expect(try folder.names(in: "2/final") == folder.names(in: "1/final"))
    }

    @Test("a stop that one rank asks for is one of all; the run continues with another number of ranks", arguments: [1, 2, 3])
    func resuming(ranks: Int) throws {
        let folder = folder
        RankStudy.run(2, in: folder["whole"]) { Self.supervised(folder) }
        let errors = RankStudy.stopped(atCall: 3, in: folder["run"]) { Self.supervised(folder) }
        try RankStudy.expectStopped(errors, at: 3, in: folder["run"])
        #expect(try folder.names(in: "run/checkpoints") == ["step-000002", "step-000003"])
        RankStudy.run(ranks, in: folder["run"]) { Self.supervised(folder) }
        try RankStudy.expectSameMetrics(folder["run"], folder["whole"], losses: 1e-5)
        if ranks == 2 {
            try folder.expectSame(["metrics.jsonl", "final/model.safetensors"], of: "run", and: "whole")
        }
    }

    @Test("the ranks above 0 send no events and write nothing")
    func firstRankReports() throws {
        let folder = folder
        try RankStudy.expectFirstRankReports(in: folder["run"], "learning_rate", steps: 6) { Self.supervised(folder) }
    }

    @Test("the first rank says how much the ranks have sent per step")
    func traffic() throws {
        let folder = folder
        let notes = try ThreadCollective.run(2) { group in
            var environment = try TinyStudy.environment
            var notes: [String] = []
            environment.sinks = [ClosureSink { if case .noted(let text) = $0 { notes.append(text) } }]
            environment.collective = group
            try Self.supervised(folder).run(in: folder["run"], environment)
            return notes.filter { $0.contains("MB per step to the others") }
        }
        #expect(notes[0].count == 1 && notes[0].first?.hasSuffix(", in 6 steps") == true && notes[1].isEmpty, "\(notes)")
    }

    @Test("a sink that fails on rank 0 ends all ranks, and the run can be resumed")
    func failingSink() throws {
        let folder = folder
        RankStudy.expectFailingSink(
            3, in: folder["run"], at: { if case .progressed(5, _, _, _) = $0 { true } else { false } }
        ) { Self.supervised(folder) }
        #expect(try folder.names(in: "run/checkpoints").last == "step-000004")
        RankStudy.run(3, in: folder["run"]) { Self.supervised(folder) }
    }

    @Test("a table that cannot be written on rank 0 during an evaluation ends all ranks")
    func failingTable() {
        let folder = folder
        RankStudy.expectFailingSink(2, in: folder["run"], at: { if case .sampled = $0 { true } else { false } }) { Self.supervised(folder) }
    }

    @Test("a folder that ranks do not share, and settings that differ, are refused before anything is written")
    func refused() throws {
        let folder = folder
        let apart = RankStudy.errors(3, in: { rank in folder[rank == 1 ? "other" : "run"] }) { _ in Self.supervised(folder) }
        #expect(apart[0] as? RunFolderError == .notShared(path: folder["run"].path, ranks: [1]))
        for error in apart {
            guard case .notShared(_, let ranks)? = error as? RunFolderError else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(ranks == [1])
        }
        #expect(!FileManager.default.fileExists(atPath: folder["run"].path))
        let differing = RankStudy.errors(3, in: { _ in folder["run"] }) { rank in
            var stage = Self.supervised(folder)
            // a rank may have its own number of threads
            stage.run.threads = rank + 1
            if rank == 2 { stage.training.learningRate = 0.5 }
            return stage
        }
        for error in differing {
            #expect(error as? CollectiveError == .rankDiffers(rank: 2, what: "the setting learning_rate"))
        }
        #expect(!FileManager.default.fileExists(atPath: folder["run"].path))
    }

    @Test("stages that need one process say so")
    func oneProcess() throws {
        struct Alone: Stage {
            var run = RunSettings()
            static let kind = RunStage.diversity
            static let program = "alone"
            static var groups: [SettingsGroup<Alone>] { [.init(\.run)] }
            func work(in folder: URL, _ environment: StageEnvironment) { Issue.record("it must not start") }
        }
        let folder = folder
        for error in RankStudy.errors(2, in: { _ in folder["alone"] }, { _ in Alone() }) {
            let message = try #require(error as? InvalidSetting).message
            #expect(message.contains("one process"), "\(message)")
        }
    }
}
