import Data
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Preferences from the answers of other runs: which pairs are made of a table, what is left out, and that nothing is an accident.
@Suite struct PairTableTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyStudy.makeSupervisedRun(in: folder)
    }

    /// Four answers to each of some prompts of two splits.
    private func makeBestOfN(_ name: String = "bon", splits: [String] = ["train", "validation", "test"], prompts: Int = 8) throws {
        var best = BestOfNStage()
        best.bestOfN.modelName = folder["sft"].path
        (best.bestOfN.numReturnSequences, best.bestOfN.evaluationSplits) = (4, splits)
        best.data.dataset = "generated"
        best.data.targetEvalDatapoints = prompts
        best.reward.rewardFunction = "length"
        best.sampling.maxNewTokens = 8
        best.run.threads = 1
        try best.run(in: folder[name])
    }

    private func stage(_ table: String = "bon:train", _ loss: String = "sigmoid") -> PreferenceStage {
        var stage = PreferenceStage()
        stage.comparisons.modelName = folder["sft"].path
        stage.data.dataset = table
        stage.preference.loss = loss
        stage.preference.klPrompts = 2
        stage.sampling.maxNewTokens = 6
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.loggingSteps) = (3, 4, 1)
        (stage.training.learningRate, stage.training.freezeLayers, stage.training.evalSteps) = (1e-2, 0.5, 2)
        stage.run.threads = 1
        stage.run.outputDir = folder.url.path
        return stage
    }

    private func weights(_ run: String) throws -> Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }
    private func metrics(_ run: String) throws -> String { try String(contentsOf: folder["\(run)/metrics.jsonl"], encoding: .utf8) }

    /// Runs a stage, and the lines that it says.
    @discardableResult
    private func lines(_ stage: some Stage, _ run: String) throws -> [String] {
        var lines: [String] = []
        var environment = StageEnvironment()
        environment.sinks = [ClosureSink { if case .noted(let text) = $0 { lines.append(text) } }]
        try stage.run(in: folder[run], environment)
        return lines
    }

    private func runInParts(_ stage: PreferenceStage, _ run: String) throws -> Int {
        var environment = StageEnvironment()
        var stops = 0
        environment.shouldStop = { stops < 3 }
        while stops < 4 {
            do {
                try stage.run(in: folder[run], environment)
                break
            } catch is RunStopped {
                stops += 1
            }
        }
        return stops
    }

    @Test("every kind of pairs trains, differs from the others, and goes on with the same bytes where it was stopped")
    func kinds() throws {
        try makeBestOfN()
        var found: [String: Data] = [:]
        for (kind, loss) in [("best-worst", "sigmoid"), ("best-random", "sigmoid"), ("margin", "sigmoid"), ("divpo", "sigmoid")] {
            var stage = stage("bon:train", loss)
            stage.comparisons.pairs = kind
            if kind == "margin" { (stage.comparisons.pairMargin, stage.comparisons.pairLimit) = (1, 3) }
            if kind == "divpo" { stage.comparisons.divpoThreshold = 0.4 }
            let said = try lines(stage, kind)
            let line = try #require(said.first { $0.hasPrefix("train: ") })
            #expect(line.contains("pairs (\(kind)) from 8 prompts") && line.contains("bon:train"), "\(line)")
            // the run's own tables of other splits are held out
            #expect(said.contains { $0.hasPrefix("validation: ") && $0.contains("bon:validation") })
            #expect(try metrics(kind).contains("\"validation_kl\":"))
            #expect(try metrics(kind).contains("\"test_accuracy\":"))
            #expect(try runInParts(stage, "\(kind)-parts") == 3)
            #expect(try weights(kind) == weights("\(kind)-parts") && metrics(kind) == metrics("\(kind)-parts"))
            found[kind] = try weights(kind)
        }
        #expect(Set(found.values).count == 4)
        #expect(try found["margin"] != weights("sft"))
    }

    @Test("single answers, weights by diversity, the best of groups, and a reward model from the same table")
    func otherUses() throws {
        try makeBestOfN(splits: ["train"])
        let said = try lines(stage("\(folder["bon"].path):train", "kto"), "kto")
        // without tables of other splits a share of the prompts is held out
        #expect(!said.contains { $0.hasPrefix("validation: ") }, "a tenth of eight prompts is none")
        var weighed = stage()
        weighed.comparisons.heldOutShare = 0.25
        let held = try lines(weighed, "plain")
        #expect(held.contains { $0.hasPrefix("train: ") && $0.contains("from 6 prompts") })
        #expect(held.contains { $0.hasPrefix("validation: ") && $0.contains("from 2 prompts") && $0.contains("held out") })
        weighed.preference.pairWeight = "deviation"
        // by n-grams these answers have nothing in common, so that all weigh alike
        weighed.comparisons.answerDiversity = "words"
        try weighed.run(in: folder["by-words"])
        #expect(try weights("plain") != weights("by-words"))

        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        reward.data.dataset = "bon:train"
        reward.comparisons.pairs = "margin"
        (reward.training.maxSteps, reward.training.perDeviceTrainBatchSize) = (2, 4)
        reward.run.threads = 1
        reward.run.outputDir = folder.url.path
        try reward.run(in: folder["rm"])
        #expect(FileManager.default.fileExists(atPath: folder["rm/final"].path))
    }

    /// The weights of simulated pairs come from the answers that are compared.
    @Test func weightsWithoutATable() throws {
        var stage = stage("generated")
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 2)
        try stage.run(in: folder["plain"])
        stage.comparisons.comparisons = folder["plain/comparisons"].path
        try stage.run(in: folder["again"])
        stage.preference.pairWeight = "deviation"
        try stage.run(in: folder["weighed"])
        #expect(try weights("plain") == weights("again"))
        #expect(try weights("plain") != weights("weighed"))
    }

    /// What a policy has drawn is learned from as it was drawn, without an end where it has none; tokens of another tokenizer are not.
    @Test func tokensOfRollouts() throws {
        var policy = PPOStage()
        policy.policy.modelName = folder["sft"].path
        policy.data.dataset = "generated"
        policy.data.targetEvalDatapoints = 2
        policy.reward.rewardFunction = "length"
        (policy.policy.totalSteps, policy.policy.rolloutBatchSize, policy.policy.learnBatchSize) = (4, 4, 4)
        (policy.policy.logSteps, policy.policy.tableLogs, policy.policy.maxPrompts) = (1, 1, 4)
        policy.policy.trainingTargetEvalDatapoints = 2
        policy.sampling.maxNewTokens = 5
        policy.run.threads = 1
        try policy.run(in: folder["ppo"])
        let rows = try CompletedRun(folder["ppo"]).table("rollouts")
        #expect(Set(rows.map(\.id)).count == 4 && rows.contains { $0.numbers["ended"] == 0 } && rows.allSatisfy { $0.tokens != nil })
        func write(_ tokens: [Int32]?) throws {
            let rows = rows.map { row in
                var row = row
                row.tokens = tokens
                return row
            }
            let text = try rows.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n" }.joined()
            try Foundation.Data(text.utf8).write(to: folder["ppo/tables/rollouts.jsonl"])
        }
        var stage = stage("ppo:rollouts")
        stage.comparisons.pairs = "margin"
        let own = try lines(stage, "own")
        #expect(!own.contains { $0.contains("another tokenizer") })
        try write(nil)
        try stage.run(in: folder["texts"])
        try write([3, 4, 5])
        let foreign = try lines(stage, "foreign")
        #expect(foreign.contains { $0.contains("another tokenizer") })
        #expect(try weights("foreign") == weights("texts") && weights("own") != weights("texts"))
    }

    @Test("prompts without a difference are counted and named; where nothing is left that is an error")
    func leftOut() throws {
        try makeBestOfN(splits: ["train"], prompts: 4)
        let table = folder["bon/tables/train.jsonl"]
        let rows = try CompletedRun(folder["bon"]).table("train")
        func write(_ rows: [SampleRow]) throws {
            let text = try rows.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n" }.joined()
            try Foundation.Data(text.utf8).write(to: table)
        }
        let first = rows[0].id
        var one = rows
        for index in one.indices { one[index].reward = one[index].numbers["sample"] }
        for index in one.indices where one[index].id == first { one[index].reward = 2 }
        try write(one)
        let said = try lines(stage(), "some")
        #expect(said.contains { $0.contains("from 4 prompts") && $0.contains("prompts: 1 without two different rewards (\(first))") })

        for index in one.indices { one[index].reward = 2 }
        try write(one)
        let error = #expect(throws: DataError.self) { try stage().run(in: folder["none"]) }
        #expect("\(String(describing: error))".contains("4 without two different rewards"))
        for index in one.indices { one[index].reward = one[index].numbers["sample"] }
        try write(one)
        var far = stage()
        far.comparisons.pairMargin = 1e6
        let second = #expect(throws: DataError.self) { try far.run(in: folder["far"]) }
        #expect("\(String(describing: second))".contains("4 whose rewards differ too little"))
        for index in one.indices { one[index].reward = nil }
        try write(one)
        let third = #expect(throws: DataError.self) { try stage().run(in: folder["unscored"]) }
        #expect("\(String(describing: third))".contains("no reward for row 1 (\(first))"))
        for index in one.indices { (one[index].reward, one[index].response) = (one[index].numbers["sample"], "the same") }
        try write(one)
        let fourth = #expect(throws: DataError.self) { try stage().run(in: folder["alike"]) }
        #expect("\(String(describing: fourth))".contains("4 without two different texts"))
    }

    @Test("a run whose table has changed does not go on")
    func changedTable() throws {
        try makeBestOfN(splits: ["train"], prompts: 6)
        var environment = StageEnvironment()
        environment.shouldStop = { true }
        #expect(throws: RunStopped.self) { try stage().run(in: folder["a"], environment) }
        let file = folder["bon/tables/train.jsonl"]
        let text = try String(contentsOf: file, encoding: .utf8)
        try (text + text).write(to: file, atomically: true, encoding: .utf8)
        let error = #expect(throws: RunFolderError.self) { try stage().run(in: folder["a"]) }
        #expect("\(String(describing: error))".contains("dataset: the content of bon:train has changed"))
        try text.write(to: file, atomically: true, encoding: .utf8)
        try stage().run(in: folder["a"])
    }

    @Test("names and options that mean nothing")
    func refusals() throws {
        try makeBestOfN(splits: ["train"], prompts: 2)
        func refused(_ words: String, _ change: (inout PreferenceStage) -> Void) {
            var stage = stage()
            change(&stage)
            let error = #expect(throws: (any Error).self) { try stage.run(in: folder["bad"]) }
            #expect("\(String(describing: error))".contains(words), "\(String(describing: error))")
            #expect(!FileManager.default.fileExists(atPath: folder["bad"].path))
        }
        refused("has no table \"trian\"; it has train, train_best_of_n") { $0.data.dataset = "bon:trian" }
        refused("nowhere") { $0.data.dataset = "nowhere:train" }
        refused("did you mean best-worst") { $0.comparisons.pairs = "best-wurst" }
        refused("must not be negative") { $0.comparisons.pairMargin = -1 }
        refused("above 0") { $0.comparisons.pairLimit = 0 }
        refused("0...0.5") { ($0.comparisons.pairs, $0.comparisons.divpoThreshold) = ("divpo", 0.7) }
        refused("has no effect with pairs best-worst") { $0.comparisons.divpoThreshold = 0.1 }
        refused("0..<1") { $0.comparisons.heldOutShare = 1 }
        refused("pairs needs answers with rewards") { ($0.comparisons.pairs, $0.data.dataset) = ("margin", "generated") }
        refused("heldOutShare needs") { ($0.comparisons.heldOutShare, $0.data.dataset) = (0.2, "generated") }
        refused("evalDataset has no effect") { $0.data.evalDataset = folder["bon"].path }
        refused("datasetRandomSubset has no effect") { $0.data.datasetRandomSubset = 10 }
        // a table is neither simulated nor a file whose rows may be left out
        refused("simulatedPrompts has no effect with a run's table") { $0.comparisons.simulatedPrompts = 5 }
        refused("simulatedEvaluationPrompts has no effect with a run's table") { $0.comparisons.simulatedEvaluationPrompts = 5 }
        refused("simulatedTemperatures has no effect with a run's table") { $0.comparisons.simulatedTemperatures = [1] }
        refused("samplesPerTemperature has no effect with a run's table") { $0.comparisons.samplesPerTemperature = 2 }
        refused("or use pairLimit") { $0.comparisons.pairsPerPrompt = 3 }
        refused("or use pairMargin") { $0.comparisons.minimumMargin = 0.2 }
        refused("flippedShare has no effect with a run's table") { $0.comparisons.flippedShare = 0 }
        refused("lengthWeight has no effect with a run's table") { $0.comparisons.lengthWeight = 1 }
        refused("onBadRow skip has no effect") { $0.data.onBadRow = "skip" }
        refused("flippedShare has no effect with a run's table") {
            ($0.comparisons.comparisons, $0.data.dataset, $0.comparisons.flippedShare) = ("bon:train", "generated", 0)
        }
        refused("answerDiversity: \(folder["sft"].path) is a run of supervised fine-tuning") {
            ($0.comparisons.pairs, $0.comparisons.answerDiversity) = ("divpo", folder["sft"].path)
        }
        refused("none or deviation") { $0.preference.pairWeight = "much" }
        refused("has no effect with loss kto") { ($0.preference.pairWeight, $0.preference.loss) = ("deviation", "kto") }
        refused("answerDiversity has no effect") { $0.comparisons.answerDiversity = "words" }
        refused("the folder of a sentence encoder") { ($0.comparisons.pairs, $0.comparisons.answerDiversity) = ("divpo", "wrods") }
    }
}
