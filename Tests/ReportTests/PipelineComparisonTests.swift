import Data
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

/// The comparison of a pipeline, from run folders.
@Suite struct PipelineComparisonTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The runs of a pipeline with 3 prompts and 2 responses to each in every table.
    /// - Parameter change: what is done to each row of the policy's samples.
    /// - Parameter models: the model that the options of a run name, by the run.
    private func makePipeline(
        models: [String: String] = [:], unmeasured: Set<String> = [],
        tables: [String] = ["test", "ood_test", "test_best_of_n", "ood_test_best_of_n"], responses: Int = 2,
        _ change: (inout SampleRow) -> Void = { _ in }
    ) throws {
        func make(_ name: String, _ stage: RunStage, loss: String = "sigmoid", _ body: (RunFolder) throws -> Void = { _ in }) throws {
            let model = models[name].map { ["model_name": OptionValue.string($0)] } ?? [:]
            let run = try RunFolder(
                at: folder[name],
                configuration: RunConfiguration(
                    stage: stage, program: "test", options: model.merging(["dataset": .string("toys"), "loss": .string(loss)]) { $1 }))
            try body(run)
            try run.writeResult { try Foundation.Data(name.utf8).write(to: $0.appendingPathComponent("model")) }
            try run.addSeconds(20)
        }
        func rows(_ table: String) -> [SampleRow] {
            (0..<(3 * responses)).map { number in
                SampleRow(
                    id: "\(number / responses)", input: "\(table) \(number / responses)",
                    response: "words of \(table) and number \(number)",
                    reference: "words", reward: Double(number), numbers: ["tokens": 6, "ended": 1])
            }
        }
        try make("sft", .supervised) { run in
            let values = ["loss": 3.0, "validation_loss": 2, "ood_validation_loss": 4].filter { !unmeasured.contains($0.key) }
            try run.metrics.append(Measurement(step: 1, values: values))
        }
        try make("rm", .rewardModel) { run in
            let values = ["validation_accuracy": 0.75, "ood_validation_accuracy": 0.5].filter { !unmeasured.contains($0.key) }
            try run.metrics.append(Measurement(step: 1, values: values))
        }
        try make("ppo", .policy)
        try make("dpo", .preference)
        try make("kto", .preference, loss: "kto")
        try make("simpo", .preference, loss: "simpo")
        try make("bon", .bestOfN) { run in
            for table in tables {
                // of the best ones there is how many they were chosen from, and the KL of the samples
                let best = rows(table).map { row in
                    var row = row
                    if table.hasSuffix("_best_of_n") { (row.numbers["n"], row.numbers["kl"]) = (4, 9) }
                    return row
                }
                try run.tables.append(best, to: table)
            }
        }
        try make("samples", .bestOfN) { run in
            for table in tables where !table.hasSuffix("_best_of_n") {
                var samples = rows(table)
                for index in samples.indices { change(&samples[index]) }
                try run.tables.append(samples, to: table)
            }
        }
    }

    private func compare(note: @escaping (String) -> Void = { _ in }) throws -> Summary {
        var listener = ReportListener()
        listener.note = note
        var comparison = PipelineComparison()
        (comparison.runs.sftRun, comparison.runs.rmRun, comparison.runs.ppoRun) = ("sft", "rm", "ppo")
        (comparison.runs.sftSamplesRun, comparison.runs.ppoSamplesRun) = ("bon", "samples")
        comparison.runs.summaryDir = folder["summary"].path
        comparison.measuring.outputDir = folder.url.path
        try comparison.run(listener)
        return try Summary.read(from: folder["summary"])
    }

    @Test func aPipelineIsCompared() throws {
        try makePipeline { $0.numbers["kl"] = 0.5 }
        let summary = try compare()
        #expect(summary.dataset == "toys" && summary.rm.accuracyID == 0.75 && summary.sft.oodValidationLoss == 4)
        #expect(summary.systems.sft.id.reward.mean == 2.5 && summary.systems.bon.ood?.lengthTokens == 6)
        #expect(summary.systems.ppo?.id.kl == 0.5 && summary.systems.sft.id.kl == 0)
        #expect(abs(summary.systems.bon.id.kl - (log(4.0) - 0.75)) < 1e-12)
        #expect(text(of: folder["summary/summary.svg"]).hasPrefix("<svg "))
    }

    /// Preference optimisation has a row, a point and seconds of its own, in PPO's place or beside it, under the name of its loss.
    @Test(arguments: [("dpo", "DPO"), ("kto", "KTO"), ("simpo", "SimPO")])
    func preferenceOptimisationIsCompared(run: String, name: String) throws {
        try makePipeline { $0.numbers["kl"] = 0.5 }
        var comparison = PipelineComparison()
        (comparison.runs.sftRun, comparison.runs.rmRun, comparison.runs.sftSamplesRun) = ("sft", "rm", "bon")
        comparison.runs.summaryDir = folder["summary"].path
        comparison.measuring.outputDir = folder.url.path
        #expect(throws: InvalidSetting.self) { try comparison.run(ReportListener()) }
        comparison.runs.preferenceRun = run
        #expect(throws: InvalidSetting("a comparison needs --preference-samples-run")) { try comparison.run(ReportListener()) }
        comparison.runs.preferenceSamplesRun = "samples"
        try comparison.run(ReportListener())
        let summary = try Summary.read(from: folder["summary"])
        #expect(summary.systems.ppo == nil && summary.systems.preference?.ood?.kl == 0.5 && summary.systems.preferenceName == name)
        #expect(summary.seconds.preference == 20 && summary.seconds.bon == 40)
        let lines = summary.terminalText.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("\(name) ") } == 3 && !lines.contains { $0.hasPrefix("PPO") })
        #expect(text(of: folder["summary/summary.svg"]).components(separatedBy: ">\(name)</text>").count == 3)
        (comparison.runs.ppoRun, comparison.runs.ppoSamplesRun) = ("ppo", "samples")
        try comparison.run(ReportListener())
        let both = try Summary.read(from: folder["summary"])
        #expect(both.systems.ppo?.id == both.systems.preference?.id)
        #expect(both.markdown.contains("| PPO ") && both.markdown.contains("| \(name) "))
        comparison.runs.preferenceRun = "ppo"
        #expect(throws: RunFolderError.self) { try comparison.run(ReportListener()) }
    }

    @Test("what no split was there for is left out with its name; the rest is compared")
    func unmeasured() throws {
        try makePipeline(unmeasured: ["ood_validation_loss", "validation_accuracy"]) { $0.numbers["kl"] = 0.5 }
        var notes: [String] = []
        let summary = try compare { notes.append($0) }
        #expect(summary.sft.oodValidationLoss == nil && summary.sft.validationLoss == 2)
        #expect(summary.rm.accuracyID == nil && summary.rm.accuracyOOD == 0.5)
        for name in ["ood_validation_loss", "validation_accuracy"] {
            #expect(notes.contains { $0.contains(" has no \(name), ") }, "\(notes)")
        }
        #expect(summary.markdown.contains("| 2.000 | – |") && summary.terminalText.contains("Reward model accuracy: – id, 0.500 ood"))
    }

    @Test(
        "own data: without references, samples out of distribution and a second response, the rest is compared and what is missing is named"
    )
    func ownData() throws {
        try makePipeline(tables: ["test", "test_best_of_n"], responses: 1) { $0.reference = nil }
        var notes: [String] = []
        let summary = try compare { notes.append($0) }
        #expect(summary.systems.sft.ood == nil && summary.systems.ppo?.ood == nil && summary.systems.bon.ood == nil)
        #expect(summary.systems.sft.id.perInputEAD == nil && summary.systems.ppo?.id.perInputEAD == nil)
        #expect(summary.systems.ppo?.id.rougeL == nil && summary.systems.sft.id.rougeL != nil)
        #expect(summary.systems.ppo?.id.reward.mean == 1)
        for words in [" has no table ood_test", "--groups 2", "samples has no references"] {
            #expect(notes.contains { $0.contains(words) }, "\(notes)")
        }
        #expect(summary.terminalText.contains("–") && !summary.terminalText.contains("ood  "))
        #expect(text(of: folder["summary/summary.svg"]).hasPrefix("<svg"))
        // a table that the run claims to have is not left out
        try Data("{\"n\": 1, \"splits\": [\"test\", \"ood_test\"]}".utf8).write(to: folder["samples/final/complete.json"])
        #expect(throws: (any Error).self) { try compare() }
    }

    @Test("rows that lack a column are left out and counted")
    func missingRows() throws {
        try makePipeline { row in
            if row.id == "0" { row.reference = nil }
            if row.response.hasSuffix("5") { row.reward = nil }
        }
        let summary = try compare()
        #expect(summary.systems.ppo?.id.leftOut == ["reference": 2, "reward": 1] && summary.systems.sft.id.leftOut == nil)
        // every prompt counts once: of the third, one of two rewards is missing
        #expect(summary.systems.ppo?.id.reward.mean == (0.5 + 2.5 + 4) / 3)
        for text in [summary.terminalText, summary.markdown] {
            #expect(text.contains("PPO, id: 2 responses without reference left out"))
            #expect(text.contains("PPO, ood: 1 response without reward left out") && !text.contains("SFT, id:"))
        }
        #expect(text(of: folder["summary/summary.json"]).contains("left_out"))
    }

    @Test(
        "a table without a number that is compared is named",
        arguments: ["reward", "tokens", "ended"])
    func missingColumn(column: String) throws {
        try makePipeline { row in
            switch column {
            case "reward": row.reward = nil
            default: row.numbers[column] = nil
            }
        }
        #expect(throws: ResultError.missingColumn(column, table: "test", path: folder["samples"].path)) {
            try compare()
        }
    }

    // MARK: Runs that do not belong together

    private final class Notes { var lines: [String] = [] }

    @Test("samples of another run than the policy's are refused with both paths, also where they were chosen among stored ones")
    func samplesOfAnotherRun() throws {
        try makePipeline(models: ["samples": folder["dpo"].path, "bon": folder["sft"].path])
        let error = #expect(throws: InvalidSetting.self) { try compare() }
        #expect(
            error?.message
                == "\(folder["samples"].path) has samples of \(folder["dpo"].path), not of \(folder["ppo"].path); --ppo-samples-run needs "
                + "samples of --ppo-run")
        #expect(!FileManager.default.fileExists(atPath: folder["summary"].path))
    }

    @Test("the best of stored samples have the model that drew them")
    func chosenSamples() throws {
        try makePipeline(models: ["bon": folder["sft"].path])
        try RunConfiguration(
            stage: .bestOfN, program: "test", options: ["samples_from": .string(folder["bon"].path)]
        ).write(inRun: folder["samples"])
        let error = #expect(throws: InvalidSetting.self) { try compare() }
        #expect(error?.message.contains("has samples of \(folder["sft"].path), not of \(folder["ppo"].path)") == true)
    }

    @Test("samples of the policy's result, its checkpoints, its copies and of what lies beside it after a move are its own")
    func ownSamples() throws {
        let copy = try TemporaryFolder()
        for model in ["ppo", "ppo/final", "ppo/checkpoints/step-000001/model"] {
            let own = try Self(models: ["samples": model])
            #expect(try own.notes().isEmpty, "\(model)")
        }
        let moved = try Self(models: ["samples": "/elsewhere/runs/ppo"], isBelow: false)
        #expect(try moved.notes().isEmpty)
        try moved.makeCopy(of: "ppo", in: copy)
        let copied = try Self(models: ["samples": copy["ppo"].path], isBelow: false)
        #expect(try copied.notes().isEmpty)
        // what is nowhere, or is no run, cannot be told
        for model in ["/elsewhere/another", copy.url.path] {
            let unknown = try Self(models: ["samples": model], isBelow: false)
            let notes = try unknown.notes()
            #expect(notes.count == 1 && notes.first?.contains("has samples of \(model); cannot check whether") == true, "\(notes)")
        }
    }

    private init(models: [String: String], isBelow: Bool = true) throws {
        folder = try TemporaryFolder()
        let folder = folder
        try makePipeline(models: models.mapValues { isBelow ? folder[$0].path : $0 })
        if models["samples"]?.contains("checkpoints") == true {
            try FileManager.default.createDirectory(at: folder["ppo/checkpoints/step-000001/model"], withIntermediateDirectories: true)
        }
    }

    private func makeCopy(of run: String, in other: TemporaryFolder) throws {
        try FileManager.default.copyItem(at: folder[run], to: other[run])
    }

    private func notes() throws -> [String] {
        let notes = Notes()
        _ = try compare { notes.lines.append($0) }
        return notes.lines
    }

    @Test("other prompts than the supervised model's and another start are said with their paths")
    func otherPrompts() throws {
        try makePipeline(models: ["ppo": folder["dpo"].path]) { row in
            if row.id == "2" { row.input += " and more" }
        }
        let (test, base) = (folder["samples/tables/test.jsonl"].path, folder["bon/tables/test.jsonl"].path)
        let notes = try notes()
        #expect(notes.count == 3 && notes[0] == "\(test) has 2 of the 3 prompts of \(base)")
        #expect(notes[2] == "\(folder["ppo"].path) was trained from \(folder["dpo"].path), not from \(folder["sft"].path) (--sft-run)")
    }

    @Test("samples with none of the supervised model's prompts are refused with both paths", arguments: ["test", "ood_test"])
    func noCommonPrompt(table: String) throws {
        try makePipeline { row in
            if row.input.hasPrefix(table) { row.input = "another " + row.input }
        }
        let error = #expect(throws: InvalidSetting.self) { try compare() }
        let (own, base) = (folder["samples/tables/\(table).jsonl"].path, folder["bon/tables/\(table).jsonl"].path)
        #expect(error?.message.hasPrefix("\(own) has none of the 3 prompts of \(base); ") == true, "\(error?.message ?? "")")
        #expect(!FileManager.default.fileExists(atPath: folder["summary"].path))
    }

    @Test("seconds that a run does not say are left out with a word", arguments: ["ppo", "samples", "sft", "rm"])
    func missingSeconds(run: String) throws {
        try makePipeline()
        let timing = folder["\(run)/timing.json"]
        try FileManager.default.removeItem(at: timing)
        #expect(try notes() == ["\(timing.path) does not exist; the run's time is left out"])
        let summary = try Summary.read(from: folder["summary"])
        let values = ["ppo": summary.seconds.ppo, "samples": summary.seconds.bon, "sft": summary.seconds.sft, "rm": summary.seconds.rm]
        #expect(values.filter { $0.value == nil }.map(\.key) == [run] && summary.seconds.ppo != 0)
        let title = ["ppo": "PPO", "samples": "best-of-N", "sft": "SFT", "rm": "reward model"][run] ?? ""
        let pattern = try Regex("\\n\\| \(title) +\\| +– \\|")
        #expect(summary.markdown.contains(pattern), "\(summary.markdown)")
        #expect(!text(of: folder["summary/summary.json"]).contains("null"))
    }

    @Test("rows that were added behind the last checkpoint are refused")
    func addedRows() throws {
        try makePipeline()
        let samples = folder["samples"]
        let run = try RunFolder(at: samples, configuration: try #require(try RunConfiguration.read(inRun: samples)))
        try run.writeCheckpoint(step: 1) { _ in }
        #expect(try notes().isEmpty)
        let table = folder["samples/tables/test.jsonl"]
        let whole = try Foundation.Data(contentsOf: table)
        try (whole + whole).write(to: table)
        #expect(throws: RunFolderError.grown(path: table.path, bytes: UInt64(2 * whole.count), expected: UInt64(whole.count))) {
            try compare()
        }
    }

    @Test("tables that were scored since are compared as before, and what happens to them then is found")
    func scoredSince() throws {
        try makePipeline()
        let samples = folder["samples"]
        let run = try RunFolder(at: samples, configuration: try #require(try RunConfiguration.read(inRun: samples)))
        try run.writeCheckpoint(step: 1) { _ in }
        let before = try compare()
        var scoring = RowScoring()
        (scoring.scoring.score, scoring.scoring.rewardFunction, scoring.scoring.scoreColumn) = ("samples", "length", "words")
        scoring.measuring.outputDir = folder.url.path
        try scoring.run(ReportListener())
        #expect(try Tables.names(inRun: samples).sorted() == ["ood_test", "test"])
        #expect(try compare().systems == before.systems)
        try scoring.run(ReportListener())
        #expect(try compare().systems == before.systems)
        let table = folder["samples/tables/test.jsonl"]
        try String(contentsOf: table, encoding: .utf8).replacing("\"words\"", with: "\"wordy\"").write(
            to: table, atomically: true, encoding: .utf8)
        #expect(throws: RunFolderError.self) { try compare() }
    }

    @Test("tables that are cut or empty are refused by name; a damaged timing.json costs its seconds and a word")
    func damage() throws {
        try makePipeline()
        let (table, timing) = (folder["samples/tables/ood_test.jsonl"], folder["rm/timing.json"])
        try Foundation.Data("{".utf8).write(to: timing)
        #expect(try notes() == ["\(timing.path) is damaged: expected the run time in \"seconds\"; the run's time is left out"])
        let whole = try String(contentsOf: table, encoding: .utf8)
        for (text, error) in [
            ("", ResultError.noRows(path: table.path)),
            (
                whole.split(separator: "\n").dropLast().map { $0 + "\n" }.joined(),
                .endsEarly(path: table.path, prompt: "2", rows: 1, expected: 2)
            ),
        ] {
            try Foundation.Data(text.utf8).write(to: table)
            #expect(throws: error) { try compare() }
        }
    }
}
