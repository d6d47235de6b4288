import Data
import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Best-of-N as a stage: choosing again among samples that are there, soft choices, and sweeps.
@Suite struct BestOfNChoiceTests {
    private let folder: TemporaryFolder
    private let tiny: StageEnvironment

    init() throws {
        (folder, tiny) = try TinyStudy.withSupervisedRun()
    }

    /// Draws for a few prompts; a reward that needs no model.
    private func stage(n: Int = 3, _ change: (inout BestOfNStage) -> Void = { _ in }) -> BestOfNStage {
        var stage = BestOfNStage()
        stage.bestOfN.modelName = folder["sft"].path
        (stage.bestOfN.numReturnSequences, stage.bestOfN.evaluationSplits) = (n, ["test", "ood_test"])
        (stage.reward.rewardFunction, stage.reward.tokenIdRfThreshold) = ("token-id", 140)
        (stage.data.dataset, stage.data.targetEvalDatapoints) = ("generated", 5)
        stage.sampling.maxNewTokens = 6
        stage.run.threads = 1
        change(&stage)
        return stage
    }

    private func chosen(from run: String, n: Int, _ change: (inout BestOfNStage) -> Void = { _ in }) -> BestOfNStage {
        stage(n: n) {
            ($0.bestOfN.modelName, $0.bestOfN.samplesFrom) = ("", folder[run].path)
            change(&$0)
        }
    }

    /// All that a run leaves but its configuration and the time it took.
    private func content(_ run: String) throws -> [String: Data] {
        let names = ["metrics.jsonl", "final/complete.json", "final/curves.csv"]
        let tables = try Tables.names(inRun: folder[run]).map { "tables/\($0).jsonl" }
        return try Dictionary(uniqueKeysWithValues: (names + tables).map { ($0, try Data(contentsOf: folder["\(run)/\($0)"])) })
    }

    @Test("choosing among a run's samples leaves what drawing as many leaves", arguments: ["best", "soft"])
    func storedSamples(selection: String) throws {
        try stage(n: 8).run(in: folder["eight"], tiny)
        func choose(_ stage: inout BestOfNStage) {
            stage.bestOfN.selection = selection
            stage.bestOfN.selectionTemperature = selection == "soft" ? 0.05 : nil
        }
        for (n, groups) in [(3, 1), (8, 1), (2, 4)] {
            try stage(n: n) {
                choose(&$0)
                ($0.bestOfN.groups, $0.bestOfN.groupedPrompts) = (groups, 2)
            }.run(in: folder["drawn-\(n)"], tiny)
            try chosen(from: "eight", n: n) {
                choose(&$0)
                ($0.bestOfN.groups, $0.bestOfN.groupedPrompts) = (groups, 2)
            }.run(in: folder["chosen-\(n)"], tiny)
            let (drawn, chosen) = (try content("drawn-\(n)"), try content("chosen-\(n)"))
            #expect(drawn.count == 7 && drawn == chosen)
        }
        // and from what was chosen so
        try chosen(from: "chosen-8", n: 3, choose).run(in: folder["again"], tiny)
        #expect(try content("again") == content("drawn-3"))
        // fewer prompts, and one split of the two
        try chosen(from: "eight", n: 3) {
            choose(&$0)
            ($0.bestOfN.evaluationSplits, $0.data.targetEvalDatapoints) = (["ood_test", "validation"], 2)
        }.run(in: folder["few"], tiny)
        #expect(try CompletedRun(folder["few"]).table("ood_test") == Array(CompletedRun(folder["drawn-3"]).table("ood_test").prefix(6)))
    }

    @Test("the KL of stored samples is kept; it has the rounding of the answers that it was measured with")
    func storedDivergences() throws {
        try stage(n: 6) { ($0.bestOfN.referenceModel, $0.sampling.temperature) = (folder["sft"].path, 0.5) }.run(in: folder["six"], tiny)
        try stage(n: 2) { ($0.bestOfN.referenceModel, $0.sampling.temperature) = (folder["sft"].path, 0.5) }.run(in: folder["two"], tiny)
        try chosen(from: "six", n: 2).run(in: folder["chosen"], tiny)
        for table in ["test", "ood_test_best_of_n"] {
            let pairs = zip(try CompletedRun(folder["two"]).table(table), try CompletedRun(folder["chosen"]).table(table))
            for (drawn, chosen) in pairs {
                expectClose([chosen.numbers["kl"] ?? .nan], [drawn.numbers["kl"] ?? .nan], relative: 0, absolute: 1e-4)
                #expect(drawn.response == chosen.response && drawn.reward == chosen.reward)
            }
        }
    }

    @Test("a table whose numbers are absurd ends nothing", arguments: ["1e300", "-5", "0.5"])
    func absurdNumbers(number: String) throws {
        try stage(n: 2) { $0.bestOfN.evaluationSplits = ["test"] }.run(in: folder["two"], tiny)
        let file = folder["two/tables/test.jsonl"]
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacing(/"(tokens|ended|log_prob)":[-0-9.e]+/) { "\"\($0.output.1)\":\(number)" }
            .write(to: file, atomically: true, encoding: .utf8)
        let run = try chosen(from: "two", n: 2) { $0.bestOfN.evaluationSplits = ["test"] }.run(in: folder["chosen"], tiny)
        #expect(try run.table("test").allSatisfy { $0.numbers["tokens"] == Double(number) })
    }

    @Test("a soft choice records its weight and expectation, and its curve and bound of the KL")
    func softChoice() throws {
        let run = try stage(n: 6) { ($0.bestOfN.selection, $0.bestOfN.selectionTemperature) = ("soft", 0.1) }.run(in: folder["soft"], tiny)
        let selection = BestOfNSelection.soft(temperature: 0.1)
        let (rows, choices) = (try run.table("test"), try run.table("test_best_of_n"))
        #expect(rows.count == 30 && choices.count == 5)
        for (place, choice) in choices.enumerated() {
            let group = Array(rows[place * 6..<place * 6 + 6])
            let weights = selection.weights(group.map(\.reward))
            let index = try #require(group.firstIndex { $0.numbers["sample"] == choice.numbers["sample"] })
            expectClose([choice.numbers["weight"] ?? .nan], [weights[index]], relative: 1e-12)
            let expected = zip(weights, group).reduce(0) { $0 + $1.0 * ($1.1.reward ?? 0) }
            expectClose([choice.numbers["expected_reward"] ?? .nan], [expected], relative: 1e-12)
        }
        let values = try run.metrics()[0].values
        func mean(_ numbers: [Double?]) -> Double { numbers.reduce(0) { $0 + ($1 ?? .nan) } / Double(numbers.count) }
        expectClose(
            ["test_best_of_n_reward", "test_best_of_n_expected_reward"].map { values[$0] ?? .nan },
            [mean(choices.map(\.reward)), mean(choices.map { $0.numbers["expected_reward"] })], relative: 1e-9)
        let curves = try String(contentsOf: folder["soft/final/curves.csv"], encoding: .utf8).split(separator: "\n")
        #expect(curves[0] == "n,kl,ood_test,test,ood_test_kl,test_kl" && curves.count == 7)
        let last = curves[6].split(separator: ",").map { Double($0) ?? .nan }
        expectClose(
            [last[3], last[5]], [values["test_best_of_n_expected_reward"] ?? .nan, values["test_best_of_n_kl_bound"] ?? .nan],
            relative: 1e-9)
        #expect(last[5] > 0 && last[5] < log(6))
    }

    @Test("a soft run that is stopped goes on with the same bytes")
    func resumes() throws {
        let soft = stage(n: 300) {
            ($0.bestOfN.selection, $0.bestOfN.evaluationSplits, $0.sampling.maxNewTokens) = ("soft", ["test"], 2)
        }
        try soft.run(in: folder["whole"], tiny)
        var environment = tiny
        environment.shouldStop = { true }
        var stops = 0
        while stops < 20, (try? soft.run(in: folder["parts"], environment)) == nil { stops += 1 }
        #expect(stops == 5)
        #expect(try content("parts") == content("whole"))
    }

    @Test("what cannot be chosen is refused in one line")
    func refusals() throws {
        try stage(n: 2).run(in: folder["two"], tiny)
        func message(_ stage: BestOfNStage) -> String {
            do {
                try stage.run(in: folder["refused"], tiny)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message(chosen(from: "two", n: 3)).contains("has 2 samples of prompt"))
        #expect(
            message(chosen(from: "two", n: 2) { $0.bestOfN.evaluationSplits = ["train"] }).contains(
                "no samples of train; it has samples of "))
        #expect(message(chosen(from: "sft", n: 2)).contains("supervised fine-tuning"))
        #expect(message(chosen(from: "none", n: 2)).contains("none"))
        #expect(message(chosen(from: "two", n: 2) { $0.bestOfN.modelName = "a" }).contains("reuses the samples"))
        #expect(message(chosen(from: "two", n: 2) { $0.sampling.temperature = 0.5 }).contains("temperature has no effect with"))
        #expect(message(chosen(from: "two", n: 2) { $0.reward.rewardFunction = "compression" }).contains("rewardFunction has no effect"))
        #expect(message(stage { $0.bestOfN.modelName = "" }).contains("name the model"))
        #expect(message(stage { $0.bestOfN.selection = "hard" }).contains("best or soft"))
        #expect(message(stage { $0.bestOfN.selectionTemperature = 1 }).contains("has no effect without"))
        for temperature in [0, -1, Double.infinity] {
            #expect(
                message(stage { ($0.bestOfN.selection, $0.bestOfN.selectionTemperature) = ("soft", temperature) }).contains("above 0"))
        }
        #expect(message(stage { $0.sampling.minP = 1.5 }).contains("minP"))
        try FileManager.default.removeItem(at: folder["two/final"])
        #expect(message(chosen(from: "two", n: 2)).contains("has not finished"))
        #expect(!FileManager.default.fileExists(atPath: folder["refused"].path))
    }

    @Test("settings that are not given stand in no configuration, so that earlier runs go on")
    func configuration() throws {
        let new = ["kl_of_draws", "selection", "selection_temperature", "samples_from", "sweep", "min_p"]
        var empty = stage()
        empty.bestOfN.sweep = []
        for stage in [stage(), empty] { #expect(try stage.values.keys.filter { new.contains($0) }.isEmpty) }
        #expect(try SFTStage().values.keys.allSatisfy { !$0.hasPrefix("round") })
        #expect(try PPOStage().values.keys.allSatisfy { !$0.hasPrefix("distil") })
        let swept = stage { $0.bestOfN.sweep = ["temperature=0.5,1", "min-p=0,0.2"] }
        #expect(try BestOfNStage(values: swept.values) == swept)
    }

    // MARK: Sweeps

    private var sweep: BestOfNStage {
        stage(n: 4) {
            $0.bestOfN.sweep = ["temperature=0.2,1", "min-p=0,0.95"]
            $0.bestOfN.evaluationSplits = ["test"]
        }
    }

    private struct Row: Decodable {
        var point: String
        var settings: [String: String]
        var values: [String: Double]
    }

    private func rows(_ run: String) throws -> [Row] {
        try JSONDecoder().decode([Row].self, from: Data(contentsOf: folder["\(run)/final/sweep.json"]))
    }

    @Test("a sweep makes a run of every combination and a table; the KL is that of what is drawn")
    func sweeps() throws {
        try sweep.run(in: folder["sweep"], tiny)
        let rows = try rows("sweep")
        #expect(
            rows.map(\.point) == [
                "temperature-0.2_min-p-0", "temperature-0.2_min-p-0.95", "temperature-1_min-p-0", "temperature-1_min-p-0.95",
            ])
        #expect(rows[1].settings == ["temperature": "0.2", "min-p": "0.95"])
        // the model itself at temperature 1 is the reference; whatever narrows the draw is farther from it
        #expect(abs(rows[2].values["kl"] ?? .nan) < 1e-4)
        for row in rows where row.point != "temperature-1_min-p-0" { #expect((row.values["kl"] ?? .nan) > 0.1, "\(row)") }
        for row in rows {
            for name in ["mean_reward", "chosen_reward", "per_input_ead", "across_input_ead", "per_input_distinct", "choice_kl_bound"] {
                #expect(row.values[name] != nil, "\(name)")
            }
        }
        // a point is the run that its settings make
        try stage(n: 4) {
            ($0.sampling.temperature, $0.sampling.minP, $0.bestOfN.klOfDraws) = (0.2, 0.95, true)
            ($0.bestOfN.referenceModel, $0.bestOfN.evaluationSplits) = (folder["sft"].path, ["test"])
        }.run(in: folder["point"], tiny)
        #expect(try content("point") == content("sweep/points/temperature-0.2_min-p-0.95"))
        let table = try String(contentsOf: folder["sweep/final/sweep.md"], encoding: .utf8).split(separator: "\n")
        let start = "| temperature | min-p | split | N | reward | chosen | KL | KL of choice from samples ≤ |"
        #expect(table.count == 6 && table[0].hasPrefix(start))
        // done is done
        let before = try Data(contentsOf: folder["sweep/final/sweep.json"])
        try sweep.run(in: folder["sweep"], tiny)
        #expect(try Data(contentsOf: folder["sweep/final/sweep.json"]) == before)
    }

    @Test("a sweep over choices among stored samples draws nothing")
    func sweepOfChoices() throws {
        try stage(n: 4) { $0.bestOfN.evaluationSplits = ["test"] }.run(in: folder["four"], tiny)
        var environment = tiny
        environment.reward = ClosureReward { _ in throw RewardError.noReference(prompts: 1, of: 1, first: "") }
        try chosen(from: "four", n: 4) {
            ($0.bestOfN.sweep, $0.bestOfN.evaluationSplits) = (["num-return-sequences=2,4", "selection=best,soft"], ["test"])
        }.run(in: folder["choices"], environment)
        let rows = try rows("choices")
        #expect(rows.count == 4 && rows.allSatisfy { ($0.values["expected_reward"] != nil) == ($0.settings["selection"] == "soft") })
        #expect((rows[2].values["chosen_reward"] ?? 0) >= (rows[0].values["chosen_reward"] ?? 1))
    }

    @Test("a sweep goes on where it was stopped or fell, with the same bytes")
    func sweepResumes() throws {
        try sweep.run(in: folder["whole"], tiny)
        let attempts = try TinyStudy.fallingAndStopping(
            tiny, first: 1, more: 2, path: folder["parts"].path, stops: { $0 % 3 == 2 }
        ) { try sweep.run(in: folder["parts"], $0) }
        #expect(attempts > 4)
        for file in ["sweep.json", "sweep.md"] {
            #expect(try Data(contentsOf: folder["parts/final/\(file)"]) == Data(contentsOf: folder["whole/final/\(file)"]))
        }
        for point in try rows("whole").map(\.point) { #expect(try content("parts/points/\(point)") == content("whole/points/\(point)")) }
    }

    @Test("sweeps that mean nothing are refused, and leave no folder")
    func badSweeps() throws {
        for (sweep, problem) in [
            (["temperature"], "a setting and its values"), (["temperature="], "a setting and its values"),
            (["temprature=1,2"], "did you mean temperature"), (["temperature=1,1"], "the value 1 twice"),
            (["temperature=1,1.0"], "the value 1.0 twice"), (["min-p=0.1,.1"], "a setting and"),
            (["min-p=0.1,1e-1"], "the value 1e-1 twice"), (["top-k=3,03"], "the value 03 twice"),
            (["selection=best,soft,best"], "the value best twice"),
            (["temperature=1,-1"], "a setting and"),
            (["temperature=1", "temperature=2"], "twice"), (["top-p=0.5,2"], "topP"), (["temperature=a"], "number"),
            (["output-dir=a,b"], "cannot vary"), (["selection=best,hard"], "best or soft"),
            (
                [
                    "top-k=" + (1...40).map(String.init).joined(separator: ","),
                    "max-new-tokens=" + (1...40).map(String.init).joined(separator: ","),
                ], "1000"
            ),
        ] {
            let error = #expect(throws: InvalidSetting.self) { try stage { $0.bestOfN.sweep = sweep }.run(in: folder["bad"], tiny) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(problem), "\(sweep): \(error.map { "\($0)" } ?? "")")
        }
        #expect(throws: (any Error).self) {
            try stage {
                ($0.bestOfN.sweep, $0.bestOfN.modelName) = (["temperature=1,2"], folder["nowhere"].path)
            }.run(in: folder["bad"], tiny)
        }
        #expect(!FileManager.default.fileExists(atPath: folder["bad"].path))
    }
}
