import Data
import Foundation
import Report
import Runs
import Study
import _TestSupport

/// A small pipeline of finished runs as they lie on the disk, with a summary.
struct ReportFixture {
    let folder: TemporaryFolder
    /// What is put into names, options and texts.
    var text = ""

    /// Writes the runs.
    /// - Parameters:
    ///   - text: stands in names, options, metrics and texts, too.
    ///   - name: stands in the names of runs: what a file's name can hold.
    init(text: String = "", name: String = "", steps: Int = 40, prompts: Int = 6, hasSummary: Bool = true) throws {
        folder = try TemporaryFolder()
        self.text = text
        let runs = folder["runs"]
        try Self.run(runs, "sft\(name)", .supervised, ["dataset": .string("set\(text)"), "learning_rate": .number(0.5)])
        try Self.run(runs, "rm\(name)", .rewardModel, ["model_name": .string(runs.appendingPathComponent("sft\(name)").path)])
        try Self.run(runs, "ppo\(name)", .policy, ["model_name": .string(runs.appendingPathComponent("sft\(name)").path)])
        for (id, model) in [("bon", "sft"), ("ppo-samples", "ppo")] {
            let folder = try Self.run(
                runs, id + name, .bestOfN,
                ["model_name": .string(runs.appendingPathComponent(model + name).path), "dataset": .string("set\(text)")])
            let tables = folder.appendingPathComponent("tables", isDirectory: true)
            try FileManager.default.createDirectory(at: tables, withIntermediateDirectories: true)
            for split in ["test", "ood_test"] {
                let rows = (0..<prompts).flatMap { prompt in
                    (0..<4).map { Self.row(prompt, $0, split, text, shift: model == "ppo" ? 0.5 : 0) }
                }
                try Self.write(rows, to: tables.appendingPathComponent("\(split).jsonl"))
                var best = rows.filter { $0.numbers["sample"] == 3 }
                for place in best.indices { best[place].numbers["n"] = 4 }
                if id == "bon" { try Self.write(best, to: tables.appendingPathComponent("\(split)_best_of_n.jsonl")) }
            }
        }
        let metrics: [(String, (Int) -> [String: Double])] = [
            ("sft", { ["loss": 3 / Double($0 + 1), "gradient_norm": 1, "<b>\(text)": 1] }),
            ("rm", { ["loss": 0.7 - 0.001 * Double($0), "accuracy": 0.5, "validation_accuracy": 0.75, "ood_validation_accuracy": 0.625] }),
            ("ppo", { ["mean_score": 0.125 * Double($0), "kl_sequence": Double($0), "end_share": 1, "validation_score": 0.5] }),
            ("bon", { _ in ["test_mean_reward": 0] }), ("ppo-samples", { _ in [:] }),
        ]
        for (run, values) in metrics {
            let lines = try (1...steps).map { step -> String in
                let numbers = values(step).merging(["step": Double(step)]) { $1 }
                return String(decoding: try JSONEncoder().encode(numbers), as: UTF8.self)
            }
            try Self.write(lines.joined(separator: "\n") + "\n", to: runs.appendingPathComponent("\(run)\(name)/metrics.jsonl"))
        }
        let scores = (0..<80).map { "\($0),\(Double($0 % 7) - 3),\(Double($0 % 5) - 2),\($0 % 2)" }
        let predictions = runs.appendingPathComponent("rm\(name)/predictions-validation", isDirectory: true)
        try FileManager.default.createDirectory(at: predictions, withIntermediateDirectories: true)
        try Self.write(
            "Index,First,Second,Label\n" + scores.joined(separator: "\n") + "\n", to: predictions.appendingPathComponent("scores.csv"))
        var summary = SummaryTests.summary
        summary.dataset += text
        summary.systems.ppoName = "PPO\(text)"
        if hasSummary { try summary.write(to: runs) }
    }

    /// The runs' folder.
    var runs: URL { folder["runs"] }

    /// Everything that is read.
    func content() throws -> ReportContent { try ReportContent(reading: [runs.path], in: folder.url) }

    /// The page as it is written.
    func page() throws -> String { try HTMLReport.page(content(), title: "report\(text)", sections: HTMLReport.sections).text }

    /// A task that writes the page.
    func task() -> HTMLReport {
        var task = HTMLReport()
        task.report.runs = [runs.path]
        task.report.output = folder["report.html"].path
        return task
    }

    /// Adds a run that has only options.
    func add(_ id: String, _ stage: RunStage) throws -> URL { try Self.run(runs, id, stage, [:]) }

    @discardableResult
    private static func run(_ runs: URL, _ id: String, _ stage: RunStage, _ options: [String: OptionValue]) throws -> URL {
        let folder = runs.appendingPathComponent(id, isDirectory: true)
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("final"), withIntermediateDirectories: true)
        try RunConfiguration(stage: stage, program: "train", options: options).write(inRun: folder)
        try write(
            #"{"seconds": 61.5, "peak_memory": 1000000, "machine": {"processor": "A & B", "cores": 2}}"#,
            to: folder.appendingPathComponent("timing.json"))
        return folder
    }

    private static func row(_ prompt: Int, _ sample: Int, _ split: String, _ text: String, shift: Double) -> SampleRow {
        SampleRow(
            id: "\(split)-\(prompt)", input: "prompt \(prompt) \(text)", response: "word\(sample) one two \(prompt) \(text)",
            reference: "one two", reward: shift + Double(sample) + 0.1 * Double(prompt),
            numbers: ["tokens": 4, "ended": 1, "sample": Double(sample), "kl": 2 * shift])
    }

    private static func write(_ rows: [SampleRow], to url: URL) throws {
        let encoder = JSONEncoder()
        try write(try rows.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }.joined(), to: url)
    }

    static func write(_ text: String, to url: URL) throws { try Foundation.Data(text.utf8).write(to: url) }
}
