import Eval

/// The section with a table of all metrics of all systems.
package enum SystemsSection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "systems", title: "Systems") { content in
            guard !content.systems.isEmpty else { return nil }
            return ReportSection.Body(HTML(content.systems.map { table($0).markup }))
        }
    }

    /// The column heading of a metric, with its unit.
    private static func heading(_ metric: Experiment.Metric) -> String {
        switch metric {
        case .kl: "KL, nats"
        case .lengthTokens: "length, tokens"
        case .eosShare: "ended, share"
        default: metric.title
        }
    }

    private static func table(_ systems: ReportedSystems) -> HTMLTable {
        let metrics = Experiment.Metric.allCases.filter { metric in
            systems.systems.contains { $0.id[metric] != nil || $0.ood[metric] != nil }
        }
        var table = HTMLTable(
            """
            <bdi>\(systems.dataset)</bdi>: every system in distribution (id) and out of distribution (ood), with 95 % intervals in \
            brackets. \(systems.source) n is the number of prompts; KL is the divergence from the reference model (for best-of-N of the \
            reference model, an upper bound: log n − (n − 1)/n; empty for the best samples of another model); EAD is the share of \
            distinct n-grams, adjusted for its expectation (it can slightly exceed 1); “ended” is the share of responses with an \
            end-of-sequence token.
            """,
            [("system", false), ("data", false), ("n", true)] + metrics.map { (heading($0), true) })
        table.isSortable = true
        for system in systems.systems {
            for (data, values, count) in [("id", system.id, system.promptsID), ("ood", system.ood, system.promptsOOD)] where !values.isEmpty
            {
                table.rows.append(
                    [.text(system.name), .text(data), .number(count.map { "\($0)" } ?? "–", count.map(Double.init))]
                        + metrics.map { metric in
                            .interval(values[metric], digits: metric == .lengthTokens ? 1 : metric == .kl ? 2 : 3)
                        })
            }
        }
        return table
    }
}
