import Data
import Foundation
import Report
import Runs
import _TestSupport

/// A study of methods as run folders with known numbers.
///
/// Every prompt has 4 responses. The base has the reward `seed / 10 + prompt / 2 (− 1 out of distribution)` and KL 0; a system of strength s
/// has s more reward, half of that more out of distribution, and KL s². Texts of strong systems are more alike.
struct StudyFolder {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let manifest = """
        {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
        {"system": "bon-4", "method": "best-of-N", "strength": "N 4", "samples": "bon-4", "runs": ["bon-4"], "table": "best_of_n"}
        {"system": "a-1", "method": "A", "strength": "1", "samples": "samples-a-1", "runs": ["shared", "a-1"]}
        {"system": "a-2", "method": "A", "strength": "2", "samples": "samples-a-2", "runs": ["shared", "a-2"]}
        {"system": "b-1", "method": "B", "strength": "weak", "samples": "samples-b-1"}

        """

    func run(
        _ seed: Int, _ name: String, _ stage: RunStage, options: [String: OptionValue] = [:], finished: Bool = true,
        _ body: (RunFolder) throws -> Void = { _ in }
    ) throws {
        let run = try RunFolder(
            at: folder["seed-\(seed)/\(name)"],
            configuration: RunConfiguration(
                stage: stage, program: "test", options: options.merging(["dataset": .string("toys")]) { own, _ in own }))
        try body(run)
        // every run's result is another one
        if finished { try run.writeResult { try Foundation.Data("\(name) of \(seed)".utf8).write(to: $0.appendingPathComponent("model")) } }
        try run.addSeconds(60)
    }

    /// A run of samples of a system that is `strength` above the base.
    func samples(
        _ seed: Int, _ name: String, _ strength: Double, suffix: String = "", noise: (Int, Int) -> Double = { _, _ in 0 },
        numbers: [String: Double] = [:], prompts: Int = 3, options: [String: OptionValue] = [:], hasCheckpoint: Bool = false
    ) throws {
        try run(seed, name, .bestOfN, options: options) { run in
            for split in ["test", "ood_test"] {
                let gain = split == "test" ? strength : strength / 2 - 1
                let rows = (0..<prompts).flatMap { prompt in
                    (0..<4).map { sample in
                        // the judge prefers what is nearer to the reference: the stronger the more often
                        let words = "alpha beta" + (Double(sample) < strength ? " gamma" : " other\(sample)")
                        var all = ["tokens": 7, "ended": 1, "kl": split == "test" ? strength * strength : strength]
                        all.merge(numbers) { $1 }
                        return SampleRow(
                            id: "\(split)-\(prompt)", input: "\(split) prompt \(prompt)", response: words, reference: "alpha beta gamma",
                            reward: Double(seed) / 10 + Double(prompt) / 2 + gain + noise(seed, prompt), numbers: all)
                    }
                }
                try run.tables.append(rows, to: split + suffix)
            }
            if hasCheckpoint { try run.writeCheckpoint(step: 1) { _ in } }
        }
    }

    func seed(_ seed: Int) throws {
        try run(seed, "sft", .supervised) { run in
            try run.metrics.append(Measurement(step: 2, values: ["validation_loss": 2, "ood_validation_loss": 3]))
        }
        try run(seed, "rm", .rewardModel) { run in
            try run.metrics.append(Measurement(step: 5, values: ["validation_accuracy": 0.8, "ood_validation_accuracy": 0.7]))
        }
        try samples(seed, "samples-sft", 0)
        try samples(seed, "bon-4", 0.5, suffix: "_best_of_n", numbers: ["n": 4])
        for strength in [1, 2] {
            try run(seed, "a-\(strength)", .preference)
            try samples(seed, "samples-a-\(strength)", Double(strength))
        }
        try run(seed, "shared", .bestOfN)
        try samples(seed, "samples-b-1", 3)
    }

    func write(_ manifest: String = Self.manifest) throws {
        try Foundation.Data(manifest.utf8).write(to: folder["systems.jsonl"])
    }

    func table(_ change: (inout MethodStudySettings) -> Void = { _ in }) -> MethodStudyTable {
        var table = MethodStudyTable()
        table.study.experimentDir = folder.url.path
        change(&table.study)
        return table
    }

    /// The path of a table.
    func table(_ seed: Int, _ run: String, _ table: String) -> URL { folder["seed-\(seed)/\(run)/tables/\(table).jsonl"] }

    /// Changes a file's text.
    func change(_ file: URL, _ body: (String) -> String) throws {
        try Foundation.Data(body(String(contentsOf: file, encoding: .utf8)).utf8).write(to: file)
    }

    /// What the study says is missing.
    func missing() throws -> [String] { try table().read(folder.url).missing ?? [] }
}
