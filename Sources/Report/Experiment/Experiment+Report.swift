internal import Formats
import Runs
internal import Foundation

extension Experiment {
    /// The text of `experiment.md`.
    public var markdown: String {
        var text = """
            # \(dataset): \(Counted(seeds.count, "seed"))

            id: in distribution; ood: out of distribution; gap: id minus ood. Brackets contain 95 % intervals over seeds and prompts:
            mean ± t · √(variance of the seeds' means + variance of the prompts' means). \(seeds.count < 2
                ? "With one seed, they are over prompts only."
                : "With \(seeds.count) seeds, t is large if the seeds differ.")


            """
        text += modelsTable.markdown + "\n## Systems\n\n" + systemsTable.markdown
        text += "\n## Generalisation gap\n\n" + gapTable.markdown
        text += "\n## Change against SFT, for the same seeds and prompts\n\n" + changeTable.markdown
        for line in leftOut ?? [] { text += "\n\(line)\n" }
        return text + String(format: "\nTotal time of all runs: %.1f hours.\n", seconds / 3600)
    }

    /// The text that is printed on the terminal.
    public var terminalText: String {
        ([
            "\(dataset), seeds \(seeds.joined(separator: ", "))", modelsTable.plain, systemsTable.plain,
            "Generalisation gap (id minus ood)", gapTable.plain, "Change against SFT", changeTable.plain,
        ] + (leftOut ?? [])).joined(separator: "\n")
    }

    /// Reward model accuracy and SFT loss.
    var modelsTable: TextTable {
        var table = TextTable([.init(""), .init("id", .right), .init("ood", .right), .init("gap", .right)])
        for (name, pair) in [
            ("reward model accuracy", rewardModelAccuracy), ("SFT loss (nats per summary token)", supervisedLoss),
        ] {
            guard let pair else { continue }
            table.add([name, Self.text(pair.id), Self.text(pair.ood), Self.text(pair.gap)])
        }
        return table
    }

    /// One row per system and distribution.
    var systemsTable: TextTable {
        table(Metric.allCases) { [("id", $0.id), ("ood", $0.ood)] }
    }

    /// One row per system.
    var gapTable: TextTable {
        table(Metric.allCases.filter { ![.kl, .lengthTokens, .eosShare].contains($0) }) { [("id − ood", $0.gap)] }
    }

    /// One row per distribution for every system except SFT.
    var changeTable: TextTable {
        table(Metric.allCases.filter { ![.kl, .eosShare].contains($0) }) {
            $0.changeID.isEmpty ? [] : [("id", $0.changeID), ("ood", $0.changeOOD)]
        }
    }

    /// A table with one column for each metric that at least one row has.
    private func table(
        _ metrics: [Metric], _ parts: (System) -> [(data: String, values: [Metric: Estimate])]
    ) -> TextTable {
        let rows = systems.flatMap { system in parts(system).map { (name: system.name, part: $0) } }
        let present = metrics.filter { metric in rows.contains { $0.part.values[metric] != nil } }
        var table = TextTable([.init("system"), .init("data")] + present.map { .init($0.title, .right) })
        for row in rows {
            table.add(
                [row.name, row.part.data] + present.map { Self.text(row.part.values[$0], $0) })
        }
        return table
    }

    /// Response statistics are shown without an interval; `experiment.json` contains it.
    private static func text(_ estimate: Estimate?, _ metric: Metric) -> String {
        guard let estimate else { return "–" }
        return switch metric {
        case .kl: String(format: "%.2f", estimate.mean)
        case .lengthTokens: String(format: "%.1f", estimate.mean)
        case .eosShare: String(format: "%.0f %%", estimate.mean * 100)
        default: text(estimate)
        }
    }

    private static func text(_ estimate: Estimate) -> String {
        String(format: "%.3f [%.3f, %.3f]", estimate.mean, estimate.low, estimate.high)
    }
}
