import Eval
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

@Suite struct SummaryTests {
    private static func scores(_ start: Double) -> Summary.Scores {
        func interval(_ offset: Double) -> Interval {
            Interval(mean: start + offset, low: start + offset - 0.01, high: start + offset + 0.01)
        }
        return Summary.Scores(
            reward: interval(0.1), rougeL: interval(0.2), gold: interval(0.3), lengthTokens: 12.5, eosShare: 0.975,
            kl: 1.5, perInputEAD: interval(0.4), acrossInputEAD: interval(0.5))
    }

    static var summary: Summary {
        Summary(
            dataset: "generated posts",
            seconds: .init(sft: 60, rm: 20.25, ppo: 100, bon: 30, diversity: 5, total: 215.5),
            sft: .init(firstLoss: 8.3, lastLoss: 2.1, validationLoss: 2.2, oodValidationLoss: 2.9),
            rm: .init(accuracyID: 0.81, accuracyOOD: 0.72),
            systems: .init(
                sft: .init(id: scores(1), ood: scores(2)), ppo: .init(id: scores(3), ood: scores(4)),
                bon: .init(id: scores(5), ood: scores(6))))
    }

    /// Without an encoder there are neither keys nor columns for it.
    @Test func embeddingsAreThereWhenTheyWereMeasured() throws {
        var summary = Self.summary
        #expect(try !summary.json().contains("embedding") && !summary.markdown.contains("embedding"))
        summary.systems.ppo?.ood?.perInputEmbedding = Interval(mean: 0.25, low: 0.2, high: 0.3)
        #expect(try summary.json().contains("\"per_input_embedding\""))
        #expect(summary.markdown.contains("across-input embedding |"))
        #expect(summary.markdown.contains("| 0.250 [0.200, 0.300] |") && summary.markdown.contains(" – |"))
        #expect(try JSONDecoder().decode(Summary.self, from: Data(summary.json().utf8)) == summary)
    }

    /// The names and nesting that readers of `summary.json` rely on.
    @Test func theFileHasItsShape() throws {
        let folder = try TemporaryFolder()
        try Self.summary.write(to: folder.url)
        let value = try JSONDecoder().decode(OptionValue.self, from: Data(contentsOf: folder["summary.json"]))
        func interval(_ mean: Double) -> OptionValue {
            .object(["mean": .number(mean), "low": .number(mean - 0.01), "high": .number(mean + 0.01)])
        }
        func scores(_ start: Double) -> OptionValue {
            .object([
                "reward": interval(start + 0.1), "rouge_l": interval(start + 0.2), "gold": interval(start + 0.3),
                "length_tokens": .number(12.5), "eos_share": .number(0.975), "kl": .number(1.5),
                "per_input_ead": interval(start + 0.4), "across_input_ead": interval(start + 0.5),
            ])
        }
        let expected: OptionValue = .object([
            "dataset": .string("generated posts"),
            "seconds": .object([
                "sft": .number(60), "rm": .number(20.25), "ppo": .number(100), "bon": .number(30),
                "diversity": .number(5), "total": .number(215.5),
            ]),
            "sft": .object([
                "first_loss": .number(8.3), "last_loss": .number(2.1), "validation_loss": .number(2.2),
                "ood_validation_loss": .number(2.9),
            ]),
            "rm": .object(["accuracy_id": .number(0.81), "accuracy_ood": .number(0.72)]),
            "systems": .object([
                "sft": .object(["id": scores(1), "ood": scores(2)]),
                "ppo": .object(["id": scores(3), "ood": scores(4)]),
                "bon": .object(["id": scores(5), "ood": scores(6)]),
            ]),
        ])
        #expect(value == expected)
        #expect(try Summary.read(from: folder.url) == Self.summary)
        #expect(folder.names == ["summary.json", "summary.md", "summary.svg"])
    }

    @Test func theTablesShowEverySystem() {
        let lines = Self.summary.terminalText.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("best-of-N  ood   6.100 [6.090, 6.110]  6.200 [6.190, 6.210]") })
        #expect(lines.contains("Reward model accuracy: 0.810 id, 0.720 ood"))
        #expect(lines.contains("total           215.5"))
        let markdown = Self.summary.markdown
        #expect(markdown.hasPrefix("# generated posts\n"))
        #expect(markdown.contains("| reward model accuracy | 0.810 | 0.720 |\n"))
        for text in [Self.summary.terminalText, markdown] { #expect(text.contains("an upper bound: log n − (n − 1)/n")) }
        #expect(markdown.split(separator: "\n").filter { $0.hasPrefix("| PPO ") && $0.contains("[") }.count == 2)
    }

    @Test func aNumberThatIsNotFiniteIsAnErrorThatNamesIt() throws {
        let folder = try TemporaryFolder()
        var summary = Self.summary
        summary.systems.ppo?.ood?.kl = .nan
        #expect(throws: ResultError.notFinite("systems.ppo.ood.kl")) { try summary.write(to: folder.url) }
        #expect(folder.names == [])
    }
}
