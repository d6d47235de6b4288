import Data
import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Rejection sampling and supervised fine-tuning in rounds.
@Suite struct RoundsTests {
    private let folder: TemporaryFolder
    private let tiny: StageEnvironment

    init() throws {
        (folder, tiny) = try TinyStudy.withSupervisedRun()
    }

    private func stage(rounds: Int? = 2, _ change: (inout SFTStage) -> Void = { _ in }) -> SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        (stage.data.dataset, stage.data.maxTrainExamples, stage.data.targetEvalDatapoints) = ("generated", 10, 3)
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.loggingSteps) = (3, 4, 1)
        (stage.training.saveSteps, stage.training.learningRate, stage.training.freezeLayers) = (1, 1e-2, 0)
        (stage.reward.rewardFunction, stage.reward.tokenIdRfThreshold) = ("token-id", 140)
        stage.sampling.maxNewTokens = 6
        stage.run.threads = 1
        stage.rounds.rounds = rounds
        if rounds != nil { (stage.rounds.roundSamples, stage.rounds.roundUnfinished) = (4, true) }
        change(&stage)
        return stage
    }

    private func weights(_ run: String) throws -> Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }
    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: folder[path].path) }

    @Test("a round is best-of-N of the training prompts and fine-tuning on its answers")
    func oneRound() throws {
        let run = try stage(rounds: 1).run(in: folder["round"], tiny)
        // the same by hand
        var best = BestOfNStage()
        (best.bestOfN.modelName, best.bestOfN.numReturnSequences) = (folder["sft"].path, 4)
        (best.bestOfN.evaluationSplits, best.reward) = (["train"], stage().reward)
        (best.data.dataset, best.data.targetEvalDatapoints, best.sampling.maxNewTokens) = ("generated", 10, 6)
        best.run.threads = 1
        let answers = try best.run(in: folder["bon"], tiny).table("train_best_of_n")
        #expect(answers.count == 10)
        var corpus = try #require(tiny.corpus)
        let examples = try #require(corpus.splits["train"]).prefix(10)
        corpus.splits["train"] = zip(examples, answers).map { example, answer in
            #expect(example.id == answer.id)
            var example = example
            example.summary = answer.response
            return example
        }
        var environment = tiny
        environment.corpus = corpus
        try stage(rounds: nil).run(in: folder["hand"], environment)
        #expect(try weights("round") == weights("hand") && weights("round") != weights("sft"))
        // and with the run's table as the data set
        try stage(rounds: nil) { $0.data.dataset = folder["bon"].path + ":train_best_of_n" }.run(in: folder["table"])
        #expect(try weights("round") == weights("table"))
        #expect(try CompletedRun(folder["table"]).metrics() == CompletedRun(folder["hand"]).metrics())
        for (table, problem) in [("bon:test", "no table"), ("sft:train", "no table"), ("none:a", "does not exist")] {
            let error = #expect(throws: (any Error).self) {
                try stage(rounds: nil) { $0.data.dataset = folder[table].path }.run(in: folder["bad"])
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(problem))
        }
        let learned = try run.table("round_1")
        #expect(learned.map(\.response) == answers.map(\.response))
        let values = try run.metrics()[0].values
        #expect(values["round_kept"] == 10 && values["round_unfinished"] == 0 && values["validation_loss"] != nil)
        #expect((values["round_best_reward"] ?? 0) >= (values["round_mean_reward"] ?? 1))
        // later stages take the result
        best.bestOfN.modelName = folder["round"].path
        try best.run(in: folder["later"], tiny)
    }

    @Test("rounds that are stopped or fall anywhere end with the same bytes")
    func resumes() throws {
        try stage().run(in: folder["whole"], tiny)
        #expect(try weights("whole") != Data(contentsOf: folder["whole/rounds/1/sft/final/model.safetensors"]))
        #expect(try weights("whole") == Data(contentsOf: folder["whole/rounds/2/sft/final/model.safetensors"]))
        let attempts = try TinyStudy.fallingAndStopping(
            tiny, first: 3, more: 3, path: folder["parts"].path, stops: { $0 % 2 == 1 }
        ) { try stage().run(in: folder["parts"], $0) }
        #expect(attempts > 6)
        #expect(try weights("whole") == weights("parts"))
        for file in ["metrics.jsonl", "tables/round_1.jsonl", "tables/round_2.jsonl", "final/checksums.json"] {
            #expect(try Data(contentsOf: folder["whole/\(file)"]) == Data(contentsOf: folder["parts/\(file)"]), "\(file)")
        }
        // other options are another run
        #expect(throws: RunFolderError.self) { try stage { $0.rounds.roundShare = 0.5 }.run(in: folder["parts"], tiny) }
        try stage().run(in: folder["parts"], tiny)
    }

    @Test("rounds draw with streams of their own; the second begins where the first ended, or with the first model")
    func secondRound() throws {
        try stage().run(in: folder["current"], tiny)
        try stage { $0.rounds.roundStart = "first" }.run(in: folder["first"], tiny)
        func responses(_ run: String, _ round: Int) throws -> [String] {
            try CompletedRun(folder["\(run)/rounds/\(round)/samples"]).table("train").map(\.response)
        }
        #expect(try responses("current", 1) == responses("first", 1))
        #expect(try responses("current", 2) == responses("first", 2) && responses("current", 2) != responses("current", 1))
        #expect(try weights("current") != weights("first"))
        // with the first model, only the second round's answers count
        var again = stage(rounds: 1) { $0.run.seed &+= 0x9E37_79B9_7F4A_7C15 }
        again.model.modelName = folder["current/rounds/1/sft"].path
        try again.run(in: folder["second"], tiny)
        #expect(try CompletedRun(folder["second"]).table("round_1") == CompletedRun(folder["current"]).table("round_2"))
        #expect(try weights("second") == weights("current"))
    }

    @Test("adapters: every round's is merged before the next one, and the last one's is the result")
    func adapters() throws {
        try stage { ($0.adapter.loraRank, $0.training.freezeLayers) = (2, 0.5) }.run(in: folder["lora"], tiny)
        #expect(exists("lora/rounds/1/sft/final/model.safetensors") && exists("lora/final/adapter_model.safetensors"))
        #expect(!exists("lora/final/model.safetensors"))
        var best = BestOfNStage()
        (best.bestOfN.modelName, best.bestOfN.numReturnSequences, best.bestOfN.evaluationSplits) = (folder["lora"].path, 2, ["test"])
        (best.data.dataset, best.data.targetEvalDatapoints, best.reward.rewardFunction) = ("generated", 2, "rouge")
        (best.sampling.maxNewTokens, best.run.threads) = (4, 1)
        #expect(try best.run(in: folder["bon"], tiny).table("test").count == 4)
    }

    @Test("what is learned: the best finished answer to a prompt, those above a threshold, and the best share")
    func kept() {
        func row(_ id: String, _ reward: Double, ended: Bool = true) -> SampleRow {
            SampleRow(id: id, input: id, response: "\(reward)", reward: reward, numbers: ["ended": ended ? 1 : 0])
        }
        let prompts = [
            [row("a", 1), row("a", 3), row("a", 9, ended: false)], [row("b", 5, ended: false), row("b", 4, ended: false)],
            [row("c", 2), row("c", 2)], [row("d", -1), row("d", -2)],
        ]
        func kept(_ change: (inout RoundSettings) -> Void) -> [String] {
            var settings = RoundSettings()
            change(&settings)
            return KeptAnswers(prompts, settings).rows.map { "\($0.id)\($0.reward ?? 0)" }
        }
        #expect(kept { _ in } == ["a3.0", "c2.0", "d-1.0"])
        #expect(kept { $0.roundUnfinished = true } == ["a9.0", "b5.0", "c2.0", "d-1.0"])
        #expect(kept { $0.roundThreshold = 2 } == ["a3.0", "c2.0"])
        #expect(kept { $0.roundShare = 0.7 } == ["a3.0", "c2.0"])
        #expect(kept { $0.roundShare = 0.01 } == ["a3.0"])
        #expect(kept { $0.roundThreshold = 4 }.isEmpty)
        #expect(KeptAnswers(prompts, RoundSettings()).unfinished == 1)
        let examples = ["a", "b", "d"].map { SummaryExample(id: $0, subreddit: "s", title: "t", post: "p", summary: "old") }
        #expect(KeptAnswers(prompts, RoundSettings()).answering(examples).map { "\($0.id) \($0.summary)" } == ["a 3.0", "d -1.0"])
    }

    @Test("what rounds cannot do is refused, and leaves no folder")
    func refusals() throws {
        for (problem, change): (String, (inout SFTStage) -> Void) in [
            (
                "need rounds",
                {
                    $0.rounds = RoundSettings(); $0.rounds.roundShare = 0.5
                }
            ), ("1 to 1000", { $0.rounds.rounds = 0 }),
            ("roundShare", { $0.rounds.roundShare = 0 }), ("roundShare", { $0.rounds.roundShare = 1.5 }),
            ("roundSamples", { $0.rounds.roundSamples = 0 }),
            ("roundSamples is 1000001; expected a number from 1 to 1000000", { $0.rounds.roundSamples = 1_000_001 }),
            ("current or first", { $0.rounds.roundStart = "last" }),
            (
                "a trained model",
                {
                    $0.model.modelName = nil; $0.model.fromScratch = true
                }
            ), ("trains the model", { $0.evaluation.doTrain = false }),
        ] {
            let error = #expect(throws: InvalidSetting.self) { try stage(change: change).run(in: folder["bad"], tiny) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(problem), "\(error.map { "\($0)" } ?? "")")
        }
        #expect(throws: (any Error).self) { try stage { $0.model.modelName = folder["nowhere"].path }.run(in: folder["bad"], tiny) }
        #expect(!exists("bad"))
        let none = #expect(throws: InvalidSetting.self) { try stage { $0.rounds.roundThreshold = 2 }.run(in: folder["none"], tiny) }
        let advice = none.map { "\($0)" } ?? ""
        #expect(advice.contains("round 1 keeps no answers to 10 prompts") && advice.contains("in a run with another runId"), "\(advice)")
    }

    private func stage(change: (inout SFTStage) -> Void) -> SFTStage { stage(rounds: 2, change) }
}
