import Data
import Eval
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

/// The table of an experiment from run folders.
@Suite struct ExperimentTests {
    private static let splits = ["test", "ood_test"]
    private static let words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]

    /// The reward of a sample: what the system is worth, what the seed and the prompt add, and less out of distribution.
    private static func reward(_ worth: Double, seed: Int, prompt: Int, sample: Int, split: String) -> Double {
        worth + Double(seed) * 0.1 + Double(prompt) * 0.5 + Double(sample) * 0.01 - (split == "test" ? 0 : 1)
    }

    /// Runs with 3 prompts and 4 samples of each; the supervised model's texts are all different, a policy's are all the same.
    private static func write(_ folder: URL, seeds: [Int], policies: [String] = ["kl-0.1"], finished: Bool = true)
        throws
    {
        for seed in seeds {
            let runs = folder.appendingPathComponent("seed-\(seed)")
            func make(_ name: String, _ stage: RunStage, _ body: (RunFolder) throws -> Void) throws {
                let run = try RunFolder(
                    at: runs.appendingPathComponent(name),
                    configuration: RunConfiguration(
                        stage: stage, program: "test",
                        options: ["dataset": .string("toys"), "seed": .integer(Int64(seed))]))
                try body(run)
                if finished { try run.writeResult { _ in } }
                try run.addSeconds(1800)
            }
            try make("sft", .supervised) { run in
                try run.metrics.append(Measurement(step: 1, values: ["validation_loss": 9, "ood_validation_loss": 9]))
                try run.metrics.append(Measurement(step: 2, values: ["validation_loss": 2, "ood_validation_loss": 3]))
            }
            try make("rm", .rewardModel) { run in
                let accuracy = 0.7 + 0.1 * Double(seed)
                try run.metrics.append(
                    Measurement(
                        step: 5, values: ["validation_accuracy": accuracy, "ood_validation_accuracy": accuracy - 0.05]))
            }
            func samples(_ run: RunFolder, worth: Double, varied: Bool, best: Bool) throws {
                for split in splits {
                    for prompt in 0..<3 {
                        let rows = (0..<4).map { sample in
                            let text =
                                varied
                                ? words.shuffledBy(sample + 4 * prompt + seed).joined(separator: " ")
                                : "same words again"
                            return SampleRow(
                                id: "\(split)-\(prompt)", input: "\(split) prompt \(prompt)", response: text,
                                reference: "alpha beta gamma",
                                reward: reward(worth, seed: seed, prompt: prompt, sample: sample, split: split),
                                numbers: ["tokens": 7, "ended": sample == 0 ? 0 : 1])
                        }
                        try run.tables.append(rows, to: split)
                        guard best else { continue }
                        var row = rows[3]
                        row.numbers["n"] = 4
                        try run.tables.append([row], to: "\(split)_best_of_n")
                    }
                }
            }
            try make("bon", .bestOfN) { try samples($0, worth: 0, varied: true, best: true) }
            for policy in policies {
                try make("samples-\(policy)", .bestOfN) { try samples($0, worth: 2, varied: false, best: false) }
            }
        }
    }

    private func job(_ folder: URL) throws -> ExperimentTable {
        var table = ExperimentTable()
        table.experiment.experimentDir = folder.path
        return table
    }

    @Test func estimatesAreThoseOfSeedsAndPrompts() throws {
        let folder = try TemporaryFolder()
        try Self.write(folder.url, seeds: [1, 2, 10], policies: ["kl-0.5", "kl-0.05"])
        let found = try job(folder.url).read(folder.url)
        #expect(found.dataset == "toys" && found.seeds == ["1", "2", "10"])
        #expect(found.systems.map(\.name) == ["SFT", "best-of-N", "PPO kl 0.05", "PPO kl 0.5"])
        // sft, rm, bon and two policies of each seed at half an hour
        #expect(found.seconds == 3 * 5 * 1800)

        let supervised = found.systems[0]
        let reward = try #require(supervised.id[.reward])
        let cells = [1, 2, 10].map { seed in
            (0..<3).map { prompt in
                (0..<4).reduce(0) { $0 + Self.reward(0, seed: seed, prompt: prompt, sample: $1, split: "test") } / 4
            }
        }
        let expected = CrossedMean.interval(of: cells)
        expectClose(
            [reward.mean, reward.low, reward.high], [expected.mean, expected.low, expected.high], relative: 1e-12)
        expectClose(reward.seeds, cells.map { $0.reduce(0, +) / 3 }, relative: 1e-12)
        // in and out of distribution differ by 1 in every seed; both sets of prompts add their chance
        let gap = try #require(supervised.gap[.reward])
        expectClose(gap.seeds, [1, 1, 1], relative: 1e-9)
        #expect(gap.low < 0.9 && gap.high > 1.1)
        // the change of a policy is 2 for every seed and prompt: no chance is left
        let change = try #require(found.systems[2].changeOOD[.reward])
        expectClose([change.mean, change.low, change.high], [2, 2, 2], relative: 1e-9)
        #expect(supervised.changeID.isEmpty)

        expectClose(
            [try #require(supervised.id[.eosShare]).mean, try #require(supervised.id[.lengthTokens]).mean], [0.75, 7])
        #expect(try #require(supervised.id[.kl]).mean == 0)
        // KL of the best of 4: log 4 − 3/4
        expectClose([try #require(found.systems[1].ood[.kl]).mean], [0.636294361], relative: 1e-8)
        // one best response for each prompt has no diversity per prompt, but one across prompts
        #expect(found.systems[1].id[.perInputEAD] == nil && found.systems[1].id[.acrossInputEAD] != nil)
        let (varied, same) = (
            try #require(supervised.id[.perInputEAD]), try #require(found.systems[2].id[.perInputEAD])
        )
        #expect(varied.mean > 0.6 && same.mean < 0.4)
        #expect(try #require(found.systems[2].changeID[.perInputEAD]).high < 0)
        #expect(supervised.id[.perInputEmbedding] == nil)

        let accuracy = try #require(found.rewardModelAccuracy)
        expectClose(accuracy.id.seeds, [0.8, 0.9, 1.7], relative: 1e-9)
        expectClose([accuracy.gap.mean, accuracy.gap.low, accuracy.gap.high], [0.05, 0.05, 0.05], relative: 1e-9)
        #expect(try #require(found.supervisedLoss).id.seeds == [2, 2, 2])
    }

    @Test func filesAndTables() throws {
        let folder = try TemporaryFolder()
        try Self.write(folder.url, seeds: [1, 2])
        let found = try job(folder.url).read(folder.url)
        try found.write(to: folder.url)
        let again = try JSONDecoder().decode(
            Experiment.self, from: Foundation.Data(contentsOf: folder["experiment.json"]))
        #expect(again == found)
        let value = try JSONDecoder().decode(
            OptionValue.self, from: Foundation.Data(contentsOf: folder["experiment.json"]))
        guard case .object(let object) = value, case .array(let systems)? = object["systems"],
            case .object(let system)? = systems.first, case .object(let values)? = system["id"]
        else {
            Issue.record("experiment.json has another shape")
            return
        }
        #expect(
            values.keys.contains("rouge_l") && values.keys.contains("across_input_ead") && system["change_ood"] != nil)
        let markdown = text(of: folder["experiment.md"])
        #expect(markdown.hasPrefix("# toys: 2 seeds\n"))
        for part in [
            "| reward model accuracy", "| PPO kl 0.1", "## Generalisation gap", "## Change against SFT", "4.0 hours",
            "75 %",
        ] {
            #expect(markdown.contains(part), "\(part)")
        }
        #expect(!markdown.contains("embedding") && found.terminalText.contains("best-of-N"))
    }

    @Test func embeddingsWhereThereIsAnEncoder() throws {
        let folder = try TemporaryFolder()
        try Self.write(folder.url, seeds: [1])
        var job = try job(folder.url)
        job.experiment.embeddingModel = Fixtures.url("encoders/bert").path
        let found = try job.read(folder.url)
        #expect(try #require(found.systems[0].id[.perInputEmbedding]).mean > 0)
        #expect(abs(try #require(found.systems[2].id[.perInputEmbedding]).mean) < 1e-5)
        #expect(found.systems[2].id[.acrossInputEmbedding] != nil)
    }

    @Test func whatIsMissingIsNamed() throws {
        let folder = try TemporaryFolder()
        let empty = #expect(throws: InvalidSetting.self) { try job(folder.url).read(folder.url) }
        #expect("\(try #require(empty))".contains("seed-"))
        try Self.write(folder.url, seeds: [1])
        try Self.write(folder.url, seeds: [2], policies: [])
        let other = #expect(throws: InvalidSetting.self) { try job(folder.url).read(folder.url) }
        #expect("\(try #require(other))".contains("samples-kl-0.1"))
        let unfinished = try TemporaryFolder()
        try Self.write(unfinished.url, seeds: [1], finished: false)
        #expect(throws: RunFolderError.unfinished(path: unfinished["seed-1/sft"].path)) {
            try job(unfinished.url).read(unfinished.url)
        }
    }
}

extension [String] {
    /// The words in an order that depends on a number.
    fileprivate func shuffledBy(_ number: Int) -> [String] {
        let step = [1, 3, 7, 9][number % 4]
        return indices.map { self[($0 * step + number) % count] }
    }
}
