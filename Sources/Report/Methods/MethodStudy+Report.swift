internal import Formats
import Runs
internal import Foundation

extension MethodStudy {
    /// The text of `methods.md`.
    public var markdown: String {
        var text = """
            # \(dataset): \(Counted(Set(systems.map(\.method)).count, "method")), \(Counted(seeds.count, "seed"))

            id: in distribution; ood: out of distribution; gap: id minus ood. Brackets contain 95 % intervals over seeds and prompts:
            mean ± t · √(variance of the seeds' means + variance of the prompts' means). Win rate: how often the hidden judge prefers a
            response to one of \(baseTitle). Seconds and memory: of the runs needed in addition to \(baseTitle) and the reward model.


            """
        if !modelsTable.rows.isEmpty { text += modelsTable.markdown + "\n" }
        text += "## Systems\n\n" + systemsTable.markdown
        text += "\n## Change against \(baseTitle), for the same seeds and prompts\n\n" + changeTable.markdown
        text += "\n## Generalisation gap\n\n" + gapTable.markdown
        for level in levels {
            text += "\n## \(level.title(baseTitle))\n\n" + levelTable(level).markdown
        }
        if !levels.isEmpty {
            text +=
                "\nValues between two strengths are interpolated along the line from \(baseTitle) through a method's strengths, at its "
            text += "first crossing of the level. Reward and gold are the method's values minus those of \(baseTitle).\n"
        }
        if let missing {
            text += "\n## Missing\n\n" + missing.map { "- \($0)\n" }.joined()
        }
        for line in leftOut ?? [] { text += "\n\(line)\n" }
        return text
    }

    /// The text that is printed on the terminal.
    public var terminalText: String {
        var parts = ["\(dataset), seeds \(seeds.joined(separator: ", "))"]
        if !modelsTable.rows.isEmpty { parts.append(modelsTable.plain) }
        parts += [systemsTable.plain]
        for level in levels { parts += [level.title(baseTitle), levelTable(level).plain] }
        return (parts + (missing.map { ["missing:"] + $0 } ?? []) + (leftOut ?? [])).joined(separator: "\n")
    }

    private var baseTitle: String { systems.first?.method ?? "the base" }

    /// Reward model accuracy and SFT loss.
    private var modelsTable: TextTable {
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
    private var systemsTable: TextTable {
        let metrics = present { [$0.id, $0.ood] }
        let hasCosts = systems.contains { $0.seconds != nil }
        var table = TextTable(
            [.init("method"), .init("strength"), .init("data")] + metrics.map { .init($0.title, .right) }
                + (hasCosts ? [.init("seconds", .right), .init("MB", .right)] : []) + [.init("seeds", .right)])
        for system in systems {
            for (data, values) in [("id", system.id), ("ood", system.ood)] {
                let costs = [
                    system.seconds.map { String(format: "%.0f", $0) } ?? "–",
                    system.peakMemory.map { String(format: "%.0f", $0 / 1e6) } ?? "–",
                ]
                table.add(
                    [system.method, system.strength ?? "–", data] + metrics.map { Self.text(values[$0], $0) } + (hasCosts ? costs : [])
                        + ["\(system.seeds.count)"])
            }
        }
        return table
    }

    /// One row per distribution for every system except the base.
    private var changeTable: TextTable {
        let metrics = present { [$0.changeID, $0.changeOOD] }.filter { ![.kl, .eosShare, .lengthTokens].contains($0) }
        var table = TextTable([.init("method"), .init("strength"), .init("data")] + metrics.map { .init($0.title, .right) })
        for system in systems where !system.changeID.isEmpty {
            for (data, values) in [("id", system.changeID), ("ood", system.changeOOD)] {
                table.add([system.method, system.strength ?? "–", data] + metrics.map { Self.text(values[$0], $0) })
            }
        }
        return table
    }

    /// One row per system.
    private var gapTable: TextTable {
        let metrics = present { [$0.gap] }.filter { ![.kl, .eosShare, .lengthTokens, .winRate].contains($0) }
        var table = TextTable([.init("method"), .init("strength")] + metrics.map { .init($0.title, .right) })
        for system in systems {
            table.add([system.method, system.strength ?? "–"] + metrics.map { Self.text(system.gap[$0], $0) })
        }
        return table
    }

    /// Two rows per method: its values at a level, in and out of distribution.
    private func levelTable(_ level: Level) -> TextTable {
        let metrics = Metric.allCases.filter { metric in metric != .eosShare && level.methods.contains { $0.id[metric] != nil } }
        var table = TextTable(
            [.init("method"), .init("between"), .init("data")] + metrics.map { .init($0.title, .right) } + [.init("reward gap", .right)])
        for method in level.methods {
            guard let between = method.between else {
                table.add(
                    [method.method, String(format: "not reached (%.3f)", method.greatest)] + Array(repeating: "–", count: 2 + metrics.count)
                )
                continue
            }
            for (data, values) in [("id", method.id), ("ood", method.ood)] {
                table.add(
                    [method.method, between.joined(separator: " – "), data]
                        + metrics.map { metric in
                            // the quantity that is held equal has no interval
                            metric == level.quantity && data == "id"
                                ? String(format: "%.3f", level.value) : Self.text(values[metric], metric)
                        } + [data == "id" ? Self.text(method.gap[.reward], .reward) : ""])
            }
        }
        return table
    }

    /// The metrics that at least one system has.
    private func present(_ parts: (System) -> [[Metric: Estimate]]) -> [Metric] {
        Metric.allCases.filter { metric in systems.contains { parts($0).contains { $0[metric] != nil } } }
    }

    /// Response statistics are shown without an interval; `methods.json` contains it.
    private static func text(_ estimate: Estimate?, _ metric: Metric) -> String {
        guard let estimate else { return "–" }
        return switch metric {
        case .lengthTokens: String(format: "%.1f", estimate.mean)
        case .eosShare: String(format: "%.0f %%", estimate.mean * 100)
        default: text(estimate)
        }
    }

    private static func text(_ estimate: Estimate) -> String {
        String(format: "%.3f [%.3f, %.3f]", estimate.mean, estimate.low, estimate.high)
    }
}

extension MethodStudy.Level {
    /// A heading that names the quantity and its level.
    func title(_ base: String) -> String {
        let number = value >= 100 ? String(format: "%.0f", value) : String(format: "%.3g", value)
        return quantity == .reward
            ? "At a reward \(number) above that of \(base), in distribution" : "At a KL of \(number) nats, in distribution"
    }
}
