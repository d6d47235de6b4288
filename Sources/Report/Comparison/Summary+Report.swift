internal import Formats
import Runs
internal import Eval
internal import Foundation

extension Summary {
    /// The text of `summary.md`.
    public var markdown: String {
        """
        # \(dataset)

        Intervals are 95 % bootstrap intervals. id: in distribution; ood: out of distribution. \(Self.divergence)

        \(systemsTable.markdown)\(leftOutLines)
        | | in distribution | out of distribution |
        | --- | ---: | ---: |
        | SFT validation loss (nats per summary token) | \(fixed(sft.validationLoss)) | \(fixed(sft.oodValidationLoss)) |
        | reward model accuracy | \(fixed(rm.accuracyID)) | \(fixed(rm.accuracyOOD)) |

        SFT loss: \(fixed(sft.firstLoss)) in validation at the start, \(fixed(sft.lastLoss)) in training at the end.

        \(secondsTable.markdown)
        """
    }

    /// The text that is printed on the terminal.
    public var terminalText: String {
        """
        \(dataset)

        \(systemsTable.plain)\(leftOutLines)
        \(Self.divergence)
        SFT loss per summary token: \(fixed(sft.firstLoss)) at the start, \(fixed(sft.lastLoss)) at the end; \
        validation \(fixed(sft.validationLoss)) id, \(fixed(sft.oodValidationLoss)) ood
        Reward model accuracy: \(fixed(rm.accuracyID)) id, \(fixed(rm.accuracyOOD)) ood

        \(secondsTable.plain)
        """
    }

    /// The meaning of the column KL.
    private static let divergence =
        "KL: nats per response, from the reference model; for best-of-N of the reference model, an upper bound: log n − (n − 1)/n."

    /// Lines about responses that were left out of a number, one per system and distribution. Each begins with a newline.
    private var leftOutLines: String {
        systems.named.flatMap { name, system in
            system.parts.flatMap { data, scores in
                (scores.leftOut ?? [:]).sorted { $0.key < $1.key }.map { column, count in
                    "\n\(name), \(data): \(Counted(count, "response")) without \(column) left out\n"
                }
            }
        }.joined()
    }

    /// One row per system and distribution.
    var systemsTable: TextTable {
        let named = systems.named
        let hasEmbeddings = named.contains { $0.system.parts.contains { $0.scores.perInputEmbedding != nil } }
        var columns: [TextTable.Column] = [
            .init("system"), .init("data"), .init("reward", .right), .init("ROUGE-L", .right), .init("gold", .right),
            .init("tokens", .right), .init("eos", .right), .init("KL", .right), .init("per-input EAD", .right),
            .init("across-input EAD", .right),
        ]
        if hasEmbeddings {
            columns += [.init("per-input embedding", .right), .init("across-input embedding", .right)]
        }
        var table = TextTable(columns)
        for (name, system) in named {
            for (data, scores) in system.parts {
                var cells = [
                    name, data, text(scores.reward), text(scores.rougeL), text(scores.gold),
                    String(format: "%.1f", scores.lengthTokens), String(format: "%.0f %%", scores.eosShare * 100),
                    String(format: "%.2f", scores.kl), text(scores.perInputEAD), text(scores.acrossInputEAD),
                ]
                if hasEmbeddings {
                    cells += [scores.perInputEmbedding, scores.acrossInputEmbedding].map(text)
                }
                table.add(cells)
            }
        }
        return table
    }

    /// One row per stage of the pipeline; a dash for a stage that did not record its time.
    var secondsTable: TextTable {
        var table = TextTable([.init("stage"), .init("seconds", .right)])
        let stages: [(String, Double?, isThere: Bool)] = [
            ("SFT", seconds.sft, true), ("reward model", seconds.rm, true), (systems.ppoName ?? "PPO", seconds.ppo, systems.ppo != nil),
            (systems.preferenceName ?? "DPO", seconds.preference, systems.preference != nil), ("best-of-N", seconds.bon, true),
            ("diversity", seconds.diversity, true), ("total", seconds.total, true),
        ]
        for (name, value, isThere) in stages where isThere { table.add([name, value.map { String(format: "%.1f", $0) } ?? "–"]) }
        return table
    }

    private func text(_ interval: Interval?) -> String {
        interval.map { String(format: "%.3f [%.3f, %.3f]", $0.mean, $0.low, $0.high) } ?? "–"
    }

    private func fixed(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "–" }
}

extension Summary.System {
    /// The scores of each distribution that was measured, with its short name.
    var parts: [(data: String, scores: Summary.Scores)] {
        [("id", id as Summary.Scores?), ("ood", ood)].compactMap { data, scores in scores.map { (data, $0) } }
    }
}
