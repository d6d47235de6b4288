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
    private func makePipeline(_ change: (inout SampleRow) -> Void = { _ in }) throws {
        func make(_ name: String, _ stage: RunStage, loss: String = "sigmoid", _ body: (RunFolder) throws -> Void = { _ in }) throws {
            let run = try RunFolder(
                at: folder[name],
                configuration: RunConfiguration(
                    stage: stage, program: "test", options: ["dataset": .string("toys"), "loss": .string(loss)]))
            try body(run)
            try run.writeResult { _ in }
        }
        func rows(_ table: String) -> [SampleRow] {
            (0..<6).map { number in
                SampleRow(
                    id: "\(number / 2)", input: "\(table) \(number / 2)", response: "words of \(table) and number \(number)",
                    reference: "words", reward: Double(number), numbers: ["tokens": 6, "ended": 1])
            }
        }
        try make("sft", .supervised) { run in
            let values = ["loss": 3.0, "validation_loss": 2, "ood_validation_loss": 4]
            try run.metrics.append(Measurement(step: 1, values: values))
        }
        try make("rm", .rewardModel) { run in
            let values = ["validation_accuracy": 0.75, "ood_validation_accuracy": 0.5]
            try run.metrics.append(Measurement(step: 1, values: values))
        }
        try make("ppo", .policy)
        try make("dpo", .preference)
        try make("kto", .preference, loss: "kto")
        try make("simpo", .preference, loss: "simpo")
        try make("bon", .bestOfN) { run in
            for table in ["test", "ood_test", "test_best_of_n", "ood_test_best_of_n"] {
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
            for table in ["test", "ood_test"] {
                var samples = rows(table)
                for index in samples.indices { change(&samples[index]) }
                try run.tables.append(samples, to: table)
            }
        }
    }

    private func compare() throws -> Summary {
        var comparison = PipelineComparison()
        (comparison.runs.sftRun, comparison.runs.rmRun, comparison.runs.ppoRun) = ("sft", "rm", "ppo")
        (comparison.runs.sftSamplesRun, comparison.runs.ppoSamplesRun) = ("bon", "samples")
        comparison.runs.summaryDir = folder["summary"].path
        comparison.measuring.outputDir = folder.url.path
        try comparison.run(ReportListener())
        return try Summary.read(from: folder["summary"])
    }

    @Test func aPipelineIsCompared() throws {
        try makePipeline { $0.numbers["kl"] = 0.5 }
        let summary = try compare()
        #expect(summary.dataset == "toys" && summary.rm.accuracyID == 0.75 && summary.sft.oodValidationLoss == 4)
        #expect(summary.systems.sft.id.reward.mean == 2.5 && summary.systems.bon.ood.lengthTokens == 6)
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
        #expect(summary.systems.ppo == nil && summary.systems.preference?.ood.kl == 0.5 && summary.systems.preferenceName == name)
        #expect(summary.seconds.preference == 0)
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

    @Test("rows that lack a column are left out and counted")
    func missingRows() throws {
        try makePipeline { row in
            if row.id == "0" { row.reference = nil }
            if row.response.hasSuffix("5") { row.reward = nil }
        }
        let summary = try compare()
        #expect(summary.systems.ppo?.id.leftOut == ["reference": 2, "reward": 1] && summary.systems.sft.id.leftOut == nil)
        #expect(summary.systems.ppo?.id.reward.mean == 2)
        for text in [summary.terminalText, summary.markdown] {
            #expect(text.contains("PPO, id: 2 responses without reference left out"))
            #expect(text.contains("PPO, ood: 1 response without reward left out") && !text.contains("SFT, id:"))
        }
        #expect(text(of: folder["summary/summary.json"]).contains("left_out"))
    }

    @Test(
        "a table without a number that is compared is named",
        arguments: ["reward", "reference", "tokens", "ended"])
    func missingColumn(column: String) throws {
        try makePipeline { row in
            switch column {
            case "reward": row.reward = nil
            case "reference": row.reference = nil
            default: row.numbers[column] = nil
            }
        }
        #expect(throws: ResultError.missingColumn(column, table: "test", path: folder["samples"].path)) {
            try compare()
        }
    }
}
