import ArgumentParser
import CommandLine
import Foundation
import Report
import Testing
import _TestSupport

/// Configuration files that `--print-config` writes for reports are accepted by `--config`, with what is still missing.
@Suite struct ReportConfigurationTests {
    private struct Score: ReportCommand {
        typealias Whole = RowScoring
        @OptionGroup var scoring: ScoringOptions
        @OptionGroup var measuring: MeasuringOptions
    }
    private struct Page: ReportCommand {
        typealias Whole = HTMLReport
        @OptionGroup var report: HTMLReportOptions
        @OptionGroup var measuring: MeasuringOptions
    }
    private struct Prefer: ReportCommand {
        typealias Whole = SystemPreferences
        @OptionGroup var preferences: SystemPreferenceOptions
        @OptionGroup var judge: JudgeOptions
        @OptionGroup var runs: RunOptions
    }
    private struct History: ReportCommand {
        typealias Whole = MetricHistoryFiles
        @OptionGroup var history: HistoryOptions
        @OptionGroup var measuring: MeasuringOptions
    }

    /// Writes the configuration with some options, and parses it with others.
    private func accepted<Command: ReportCommand>(_: Command.Type, written: [String], added: [String]) throws -> Command {
        let folder = try TemporaryFolder()
        let given = try CommandLineArguments.normalise(written, program: Command.programName, table: Command.optionTable)
        try ConfigurationTemplate.text(of: Command.self, name: "report", given: given)
            .write(to: folder["c.yaml"], atomically: true, encoding: .utf8)
        return try Command.parse(normalising: ["--config", folder["c.yaml"].path] + added)
    }

    @Test("a reward and rows to score, in either order")
    func score() throws {
        let (model, rows) = (["--model-name", "m"], ["--score", "r.jsonl"])
        for (written, added) in [([], model + rows), (model, rows), (rows, ["--reward-function", "length"]), (model + rows, [])] {
            #expect(try accepted(Score.self, written: written, added: added).scoring.score == "r.jsonl")
        }
        let error = #expect(throws: CommandLineError.self) { try accepted(Score.self, written: rows, added: []) }
        #expect(error?.description.contains("choose what scores") == true, "\(error as Any)")
        #expect(throws: CommandLineError.self) { try accepted(Score.self, written: model + rows, added: ["--reward-function", "length"]) }
    }

    @Test("runs of a page, pictures and their formats")
    func page() throws {
        for (written, added) in [
            ([], ["a"]), (["a"], []), (["a", "--pictures", "p", "--picture-formats", "pdf"], []), (["--pictures", "p"], ["--runs", "a"]),
        ] { #expect(try accepted(Page.self, written: written, added: added).report.runs.values == ["a"]) }
        #expect(throws: CommandLineError.self) { try accepted(Page.self, written: [], added: []) }
    }

    @Test("systems, and what to do with them")
    func prefer() throws {
        let systems = ["--systems", "a,b"]
        for (written, added) in [
            ([], systems + ["--judge-command", "x"]), (systems, ["--judge-command", "x"]), (systems + ["--judge-requests", "r.jsonl"], []),
            (["--judge-command", "x"], systems), (systems, ["--judge-url", "http://localhost:1/v1", "--judge-model", "m"]),
            (systems, ["--preference-tasks", "t.jsonl", "--page", "p.html"]),
        ] { #expect(try accepted(Prefer.self, written: written, added: added).preferences.systems.values == ["a", "b"]) }
        for added in [[], systems, systems + ["--judge-command", "x", "--judge-answers", "y"]] {
            #expect(throws: CommandLineError.self) { try accepted(Prefer.self, written: [], added: added) }
        }
    }

    @Test("runs and metrics of a history")
    func history() throws {
        let command = try accepted(History.self, written: ["--metrics", "loss"], added: ["--run-ids", "a"])
        #expect(command.history.runIds.values == ["a"] && command.history.metrics.values == ["loss"])
        #expect(throws: CommandLineError.self) { try accepted(History.self, written: ["--metrics", "loss"], added: []) }
    }
}
