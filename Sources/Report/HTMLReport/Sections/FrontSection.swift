import Eval
import Formats

/// The section that plots reward against diversity and against KL for all systems.
package enum FrontSection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "front", title: "Reward against diversity") { content in
            var body = ReportSection.Body("")
            for (index, systems) in content.systems.enumerated() { add(systems, number: index, to: &body) }
            return body.html == "" ? nil : body
        }
    }

    private static let parts: [(title: String, values: @Sendable (ReportedSystems.System) -> [Experiment.Metric: Interval])] = [
        ("in distribution", { $0.id }), ("out of distribution", { $0.ood }),
    ]

    private static func add(_ systems: ReportedSystems, number: Int, to body: inout ReportSection.Body) {
        let suffix = number == 0 ? "" : "-\(number + 1)"
        let diversity = picture(
            systems, .perInputEAD, across: "diversity: per-input EAD", name: "reward-diversity\(suffix)", title: "Reward against diversity")
        if let diversity {
            body.pictures.append(diversity)
            body.html += diversity.figure(
                """
                Mean reward of each system’s responses against the diversity of its responses to one prompt (expectation-adjusted distinct \
                n-grams; higher is more diverse). Systems toward the upper right are better. Bars show the intervals; systems whose bars \
                do not overlap differ. \(systems.source) \(counts(systems))
                """)
        }
        let divergence = picture(
            systems, .kl, across: "KL from the reference model, nats per response", name: "reward-kl\(suffix)", title: "Reward against KL")
        if let divergence {
            body.pictures.append(divergence)
            body.html += divergence.figure(
                """
                Mean reward against the Kullback–Leibler divergence from the reference model, per response. Of two systems with equal \
                reward, the one further to the left has changed less. For best-of-N of the reference model, an upper bound: \
                log n − (n − 1)/n. The best samples of another model have no known divergence and are not shown.
                """)
        }
        if diversity == nil {
            body.notes.append(
                "\(systems.dataset): no plot of reward against diversity, which needs rewards and at least two responses to each prompt."
            )
        }
    }

    /// A sentence with the number of prompts; empty if it is unknown.
    static func counts(_ systems: ReportedSystems) -> String {
        func range(_ values: [Int]) -> String? {
            guard let least = values.min(), let most = values.max() else { return nil }
            return least == most ? "\(least)" : "\(least) to \(most)"
        }
        let prompts = systems.systems.compactMap(\.promptsID)
        guard let id = range(prompts) else { return "" }
        let ood = range(systems.systems.compactMap(\.promptsOOD)).map { " and \($0) out of distribution" } ?? ""
        return "Each system answered \(id) \(Counted.form(prompts.max() ?? 0, "prompt", "prompts")) in distribution\(ood)."
    }

    private static func picture(
        _ systems: ReportedSystems, _ metric: Experiment.Metric, across: String, name: String, title: String
    ) -> Picture? {
        let methods = systems.systems.map { $0.method ?? $0.name }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        // with many systems the whiskers would hide each other
        let isCrowded = systems.systems.count > 14
        let panels = parts.compactMap { part, values -> PicturePanel? in
            let points = systems.systems.compactMap { system -> (system: ReportedSystems.System, point: PicturePoint)? in
                let numbers = values(system)
                guard let x = numbers[metric], let y = numbers[.reward], x.mean.isFinite, y.mean.isFinite else { return nil }
                return (system, PicturePoint(x, y))
            }
            guard !points.isEmpty else { return nil }
            let series = methods.enumerated().flatMap { index, method -> [PictureSeries] in
                let members = points.filter { ($0.system.method ?? $0.system.name) == method }
                guard members.count > 1 else {
                    return members.map {
                        PictureSeries($0.system.name, PictureStyle(index), [$0.point], [.whiskers, .marks], label: .beside)
                    }
                }
                return [
                    PictureSeries(
                        method, PictureStyle(index), members.map(\.point), isCrowded ? [.line, .marks] : [.line, .marks, .whiskers],
                        label: .beside)
                ]
            }
            var panel = PicturePanel(title: part, across: across, up: "reward", isCrowded ? series.map { withoutIntervals($0) } : series)
            (panel.width, panel.height) = (isCrowded ? 420 : 380, isCrowded ? 320 : 240)
            return panel
        }
        return panels.isEmpty ? nil : Picture(name: name, title: "\(systems.dataset): \(title)", panels)
    }

    private static func withoutIntervals(_ series: PictureSeries) -> PictureSeries {
        var series = series
        series.points = series.points.map { PicturePoint($0.x.mean, $0.y.mean) }
        return series
    }
}
