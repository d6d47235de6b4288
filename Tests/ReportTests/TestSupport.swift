import Data
import Runs

extension RunConfiguration {
    /// A configuration for tests.
    static func sample(_ stage: RunStage = .supervised, seed: Int64 = 1) -> RunConfiguration {
        RunConfiguration(
            stage: stage, program: "train-sft",
            options: ["seed": .integer(seed), "learning_rate": .number(1e-3), "checkpoint_limit": .integer(2)])
    }
}

extension SampleRow {
    /// A row for tests.
    static func sample(_ number: Int) -> SampleRow {
        SampleRow(
            id: "row-\(number)", input: "TITLE: \"a\"\nTL;DR:", response: " résumé \(number)", reference: " b",
            reward: 0.5 * Double(number), numbers: ["kl": 0.1])
    }
}
