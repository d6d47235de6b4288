import ArgumentParser
import Data
import Diversity
import Formats
import Foundation
import CommandLine
import Report
import Runs
import Study
import Testing
import _TestSupport

/// `calculate-diversity` on runs and files, without its process.
@Suite struct DiversityStageTests {
    private struct Command: StageCommand {
        typealias Whole = DiversityStage

        @OptionGroup var options: DiversityOptions
        @OptionGroup var runs: RunOptions
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @discardableResult
    private func measure(_ arguments: String...) throws -> [String] { try measure(arguments) }

    @discardableResult
    private func measure(_ arguments: [String]) throws -> [String] {
        let command = try Command.parse(
            normalising: arguments + ["--output-dir", folder.url.path, "--bootstrap-resamples", "50"])
        let id = command.runs.runId ?? "diversity"
        try command.settings.run(in: folder[id])
        return TemporaryFolder.names(in: folder["\(id)/final"]).filter { $0 != "checksums.json" }
    }

    private func report(_ id: String, _ name: String = "diversity") throws -> DiversityReport {
        try JSONDecoder().decode(DiversityReport.self, from: Data(contentsOf: folder["\(id)/final/\(name).json"]))
    }

    /// A run with two tables of 4 and 3 inputs, 3 outputs each.
    private func makeRun(_ id: String, words: String, finished: Bool = true) throws {
        let run = try RunFolder(at: folder[id], configuration: .sample(.bestOfN))
        for (table, inputs) in [("test", 4), ("ood_test", 3)] {
            for i in 0..<inputs {
                try run.tables.append(
                    (0..<3).map { j in
                        SampleRow(
                            id: "\(i)", input: "\(table) \(i)", response: "\(words) of \(i * j) \(table) \(j)",
                            reference: "the \(words) \(i)",
                            reward: Double(i + j))
                    }, to: table)
            }
        }
        if finished { try run.writeResult { _ in } }
    }

    @Test("options of runs that need a model to train or to sample are refused")
    func frozenFormat() throws {
        #expect(try Command.parse(normalising: ["--frozen-dtype", "f32", "--decodes", "x"]).runs.settings.frozenDtype == "f32")
        let error = #expect(throws: (any Error).self) { try Command.parse(normalising: ["--frozen-dtype", "int8", "--decodes", "x"]) }
        #expect(Command.message(for: error ?? CancellationError()).contains("--frozen-dtype int8 has no effect here"))
        let trained = #expect(throws: (any Error).self) { try Command.parse(normalising: ["--master-dtype", "bf16", "--decodes", "x"]) }
        #expect(Command.message(for: trained ?? CancellationError()).contains("--master-dtype bf16 has no effect here"))
    }

    /// A measurement counts as complete once it is there, so tables that still grow must not get one.
    @Test func aRunThatHasNotEndedIsNotMeasured() throws {
        try makeRun("bon", words: "many words", finished: false)
        #expect(throws: RunFolderError.unfinished(path: folder["bon"].path)) {
            try measure("--run-ids", "bon", "--run-id", "a")
        }
        #expect(!FileManager.default.fileExists(atPath: folder["a"].path))
    }

    @Test("a missing reward is said with the file or the table")
    func missingRewards() throws {
        let file = folder["rows.jsonl"]
        try Data("{\"input\": \"i\", \"output\": [\"a b\", \"c d\"]}\n".utf8).write(to: file)
        let run = try RunFolder(at: folder["bon"], configuration: .sample(.bestOfN))
        try run.tables.append((0..<2).map { SampleRow(id: "\($0)", input: "i", response: "r \($0)", reference: "x") }, to: "test")
        try run.writeResult { _ in }
        for option in [["--simulate-bon-for-per-input", "2"], ["--best-of-n-curve"]] {
            for (source, place) in [
                (["--decodes", file.path], file.path), (["--run-ids", "bon", "--table-name", "test"], "bon, table test"),
            ] {
                let error = #expect(throws: DiversityError.self) {
                    try measure(source + option + ["--diversity-metrics", "distinct_ngrams_1", "--run-id", UUID().uuidString])
                }
                #expect(error?.description.hasPrefix(place + ": input 0 ") ?? false, "\(error as Any)")
                #expect(error?.programExit == .badData)
            }
        }
    }

    @Test("a folder without config.json is said to have none, and what is no folder is said to be none")
    func namedFolders() throws {
        try FileManager.default.createDirectory(at: folder["empty"], withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: folder["model"], withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: folder["model/config.json"])
        #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
        func message(_ name: String, _ error: some Error & Equatable & ProgramExitProviding) throws -> String {
            #expect(throws: error) { try measure("--run-ids", name, "--run-id", "a") }
            return "\(error)"
        }
        #expect(try message("empty", RunFolderError.noConfiguration(path: folder["empty"].path)).contains("it has no config.json"))
        _ = try message("model", RunFolderError.notARunFolder(path: folder["model"].path))
        let none = FileError.notAFolder(path: folder["pipe"].path, kind: "a named pipe, a socket or a device")
        #expect(try message("pipe", none).hasSuffix("expected a folder") && none.programExit == .missingInput)
        #expect(RunFolderError.noConfiguration(path: "x").programExit == .usage)
    }

    @Test("one missing reference or reward leaves out its row, and is counted in every file")
    func missingReferenceAndReward() throws {
        let rows = (0..<21).map { i in
            "{\"input\": \"i\(i)\", \"output\": \"text \(i)\""
                + (i == 4 ? "" : ", \"reference\": \"text \(i)\"") + (i == 7 || i == 8 ? "" : ", \"reward\": \(i)") + "}"
        }
        let file = folder["rows.jsonl"]
        try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: file)
        try measure(
            "--decodes", file.path, "--text-metrics", "--diversity-metrics", "distinct_ngrams_1", "--run-id", "a")
        let csv = text(of: folder["a/final/texts.csv"])
        #expect(csv.contains(",rouge_1,20,1.0,") || csv.contains(",rouge_1,20,0.99"))
        #expect(csv.contains(",exact_match,20,1.0,") && csv.contains(",reward,19,") && csv.contains(",words,21,2.0"))
        let json = text(of: folder["a/final/texts.json"]).filter { !$0.isWhitespace }
        #expect(json.contains("\"withoutReference\":1") && json.contains("\"withoutReward\":2"))
        let metrics = text(of: folder["a/metrics.jsonl"])
        #expect(metrics.contains("\"without_reference\":1") && metrics.contains("\"without_reward\":2"))
    }

    @Test func aRunsTableIsMeasured() throws {
        try makeRun("bon", words: "many words")
        #expect(try measure("--run-ids", "bon", "--run-id", "a") == ["diversity.csv", "diversity.json"])
        let report = try report("a")
        #expect(report.inputs == 4 && report.outputs == 12 && report.metrics.count == 22)
        #expect(text(of: folder["a/final/diversity.csv"]).split(separator: "\n").count == 23)
        #expect(text(of: folder["a/metrics.jsonl"]).contains("\"mean_per_input_averaged_distinct_ngrams\""))
        try measure(
            "--run-ids", "bon", "--table-name", "test,ood_test", "--run-id", "b", "--no-table-ids", "--vendi-order",
            "inf")
        let b = try self.report("b")
        #expect(b.inputs == 7 && b.config.vendiOrder.value == .infinity)
    }

    @Test func optionsReachTheMeasurement() throws {
        try makeRun("bon", words: "Many words.\nmany more")
        try measure(
            "--run-ids", folder["bon"].path, "--run-id", "a", "--limit-outputs", "2", "--no-per-input",
            "--sample-overall",
            "--sample-overall-size", "5", "--length-control", "--common-length", "4", "--ngram-words", "unicode_words",
            "--ngram-lowercase", "--across-input-draws", "3", "--ead-vocabulary-size", "100", "--seed", "9")
        let a = try report("a")
        #expect(a.outputs == 8 && a.commonLength == 4 && a.metrics.count == 44 && a.config.seed == 9)
        #expect(a.metrics[0].values.perInput == nil && a.metrics[0].values.acrossInputs?.draws == 3)
        #expect(a.config.tokenisation == .words && a.config.vocabularySize == 100 && a.config.plan.overallSample == 5)
        try measure("--run-ids", "bon", "--run-id", "b", "--use-references", "--no-overall-input", "--no-across-input")
        let b = try report("b")
        #expect(b.outputs == 4 && b.metrics.allSatisfy { $0.values.overall == nil && $0.values.acrossInputs == nil })
        try measure("--run-ids", "bon", "--run-id", "c", "--reference-compatible", "--nli-pairs", "0")
        let c = try report("c")
        #expect(c.config.nliScoring == .reference && c.config.nliPairs == nil)
    }

    @Test("options of answers reach the measurement, and every run to compare with can be a system of its own")
    func answersOfSystems() throws {
        for (id, words) in [("ppo", "quite different words"), ("sft", "a few"), ("dpo", "many more words")] {
            try makeRun(id, words: words)
        }
        let compared = ["--run-ids", "ppo", "--compare-run-ids", "sft,dpo"]
        let files = try measure(
            compared + [
                "--compare-each", "--run-id", "a", "--quality-threshold", "-0.5", "--at-k", "2", "--utility-levels", "2,-1,0.5",
                "--equivalence",
                "ngrams", "--equivalence-threshold", "0.3", "--coverage-threshold", "0.2", "--utility-patience", "0.5",
            ])
        #expect(files.contains("diversity_compared2.json") && files.contains("difference2.csv"))
        #expect(files.contains("quality_loss.csv") && files.contains("quality_loss2.json"))
        let report = try report("a")
        let answers = report.config.answers
        #expect(answers.qualityThreshold == -0.5 && answers.count == 2 && answers.levels == [2, -1, 0.5] && answers.patience == 0.5)
        #expect(answers.equivalence == .ngrams && answers.equivalenceThreshold == 0.3 && answers.coverageThreshold == 0.2)
        #expect(report["pass_at_k"]?.values.perInput?.mean.mean == 1 && report["distinct_k"]?.note?.contains("0.3") == true)
        #expect(try measure(compared + ["--run-id", "b"]).contains("diversity_compared2.json") == false)
        for wrong in [
            ["--equivalence", "words"], ["--equivalence-threshold", "0.3"], ["--coverage-by", "bleu"], ["--at-k", "0"],
            ["--utility-patience", "2"],
            ["--equivalence", "classifier", "--diversity-metrics", "distinct_k"],
        ] {
            #expect(throws: (any Error).self) { try measure(["--run-ids", "ppo", "--run-id", UUID().uuidString] + wrong) }
        }
        #expect(throws: (any Error).self) { try measure("--run-ids", "ppo", "--compare-run-ids", "sft", "--compare-each", "--run-id", "c") }
    }

    @Test func filesAreMeasured() throws {
        let list =
            #"[{"output": ["a b c", "a b d"], "reward": [1, 2]}, {"output": ["x y w", "x y z"], "reward": [3, 4]}]"#
        try Data(list.utf8).write(to: folder["list.json"])
        let names = try measure(
            "--decodes", folder["list.json"].path, "--simulate-bon-for-per-input", "2",
            "--simulate-bon-for-per-input-n-outputs", "8",
            "--best-of-n-curve", "--text-metrics")
        #expect(
            names == ["best_of_n.csv", "best_of_n.json", "diversity.csv", "diversity.json", "texts.csv", "texts.json"])
        let cosine = try #require(try report("diversity")["cosine_similarity_2d_diversity"]?.values)
        #expect(cosine.perInput?.values == [0, 0] && cosine.perInputExact?.values == [0, 0])
        #expect(text(of: folder["diversity/final/best_of_n.csv"]).contains("\n2,0.19314718"))
        #expect(text(of: folder["diversity/final/texts.csv"]).contains(",reward,2,2.5,"))
    }

    @Test func distributionsAndSystemsAreCompared() throws {
        try makeRun("wide", words: "quite different words")
        try makeRun("narrow", words: "a")
        let gap = try measure("--run-ids", "wide", "--ood-table-name", "ood_test", "--run-id", "gap", "--text-metrics")
        #expect(
            gap == [
                "diversity.csv", "diversity.json", "diversity_ood.csv", "diversity_ood.json", "gap.csv", "gap.json",
                "texts.csv",
                "texts.json",
            ])
        #expect(try report("gap", "diversity_ood").inputs == 3)
        #expect(text(of: folder["gap/final/texts.csv"]).contains("\ngap,reward,,0.5,"))
        #expect(text(of: folder["gap/metrics.jsonl"]).contains("\"gap_per_input_self_bleu\""))
        let difference = try measure(
            "--run-ids", "wide", "--compare-run-ids", "narrow", "--run-id", "d", "--length-control")
        #expect(
            difference == [
                "difference.csv", "difference.json", "diversity.csv", "diversity.json", "diversity_compared.csv",
                "diversity_compared.json",
            ])
        let (first, second) = (try report("d"), try report("d", "diversity_compared"))
        #expect(first.commonLength == second.commonLength)
        #expect(text(of: folder["d/final/difference.csv"]).contains("\nlength_controlled_self_bleu,lower,"))
    }

    @Test func whatCannotBeMeantIsRefused() throws {
        try makeRun("bon", words: "w")
        let unknown = #expect(throws: DiversityError.self) {
            try measure("--run-ids", "bon", "--diversity-metrics", "distinct")
        }
        #expect(unknown?.description.contains("ead_averaged_distinct_ngrams") == true)
        #expect(
            throws: DiversityError.modelMissing(metric: "nli_from_sim", model: "a natural language inference model")
        ) {
            try measure("--run-ids", "bon", "--diversity-metrics", "nli_from_sim")
        }
        #expect(throws: RunFolderError.self) { try measure("--run-ids", "bon", "--table-name", "absent") }
        #expect(throws: InvalidSetting.self) { try measure() }
        #expect(throws: CommandLineError.self) { try measure("--run-ids", "bon,bon") }
        #expect(throws: InvalidSetting.self) { try measure("--run-ids", "bon", "--vendi-order", "-1") }
        #expect(throws: CommandLineError.self) { try measure("--run-ids", "bon", "--max-tables=-1") }
        #expect(throws: InvalidSetting.self) { try measure("--run-ids", "bon", "--ngram-words", "letters") }
        #expect(throws: CommandLineError.self) {
            try measure("--run-ids", "bon", "--ood-table-name", "x", "--compare-run-ids", "bon")
        }
        // two rewards whose sum is beyond all numbers
        let list = #"[{"output": ["a b", "c d"], "reward": [1e308, 1e308]}, {"output": ["e", "f"], "reward": [1e308, 1e308]}]"#
        try Data(list.utf8).write(to: folder["huge.json"])
        #expect(throws: DiversityError.self) {
            try measure("--decodes", folder["huge.json"].path, "--best-of-n-curve", "--run-id", "huge")
        }
        #expect(throws: DiversityError.cannotDraw(n: 4, of: 3)) {
            try measure("--run-ids", "bon", "--simulate-bon-for-per-input", "4")
        }
    }

    /// What is said of a model that is not given, or said twice, is found before anything is read.
    @Test(
        arguments: [
            (["--embedding-prompt", "a", "--embedding-prompt-name", "b", "--embedding-model", "m"], "choose one of them"),
            (["--embedding-prompt", "a"], "--embedding-prompt has no effect without --embedding-model"),
            (["--embedding-prompt-name", "p"], "--embedding-prompt-name has no effect"),
            (["--embedding-dimension", "3"], "--embedding-dimension has no effect"),
            (["--embedding-dimension", "0", "--embedding-model", "m"], "--embedding-dimension must be above 0"),
            (["--nli-labels", "contradiction,neutral,entailment"], "--nli-labels has no effect"),
            (["--nli-labels", "contradiction,neutral", "--nli-model", "m"], "--nli-labels must name"),
            (["--nli-labels", "neutral,neutral,entailment", "--nli-model", "m"], "--nli-labels must name"),
        ] as [([String], String)])
    func optionsOfModels(arguments: [String], words: String) throws {
        let error = #expect(throws: (any Error).self) { try measure(["--decodes", "none.json"] + arguments) }
        let message = error.map { "\($0) \(Command.message(for: $0))" } ?? ""
        #expect(message.contains(words), "\(message)")
    }

    @Test func modelsByOption() throws {
        let file = folder["rows.jsonl"]
        try Data("{\"input\": \"i\", \"output\": [\"the dog\", \"mother\", \"other\"]}\n".utf8).write(to: file)
        let (encoder, nli) = (Fixtures.url("encoders/sentence/matryoshka").path, Fixtures.url("encoders/sentence/nli").path)
        let common = [
            "--decodes", file.path, "--diversity-metrics", "sent_bert_from_sim,nli_from_sim", "--embedding-model", encoder, "--nli-model",
            nli,
            "--nli-labels", "neutral,contradiction,entailment",
        ]
        let given = [[], ["--embedding-prompt-name", "query"], ["--embedding-prompt", "the query: "], ["--embedding-dimension", "11"]]
        var values: [Double] = []
        for (index, options) in given.enumerated() {
            try measure(common + options + ["--run-id", "models-\(index)"])
            values.append(try #require(try report("models-\(index)")["sent_bert_from_sim"]?.values.perInput?.values.first ?? nil))
        }
        #expect(values[1] == values[2] && Set(values).count == 3)
    }
}
