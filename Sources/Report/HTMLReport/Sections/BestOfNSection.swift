import Diversity
import Eval
import Formats
import Foundation
import Tensor

/// The section with the expected reward of the best of n responses as a function of n.
package enum BestOfNSection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "best-of-n", title: "Best of n") { content in
            var body = ReportSection.Body("")
            let panels = ["in distribution", "out of distribution"].enumerated().compactMap { place, title in
                panel(content, title: title, isOutside: place == 1, body: &body)
            }
            guard !panels.isEmpty else { return body.notes.isEmpty ? nil : body }
            let picture = Picture(name: "best-of-n", title: "Reward of the best of n responses", panels.map(\.panel))
            body.pictures.append(picture)
            body.html += picture.figure(
                """
                Expected reward of the best of n responses to a prompt, for every n up to the number of samples: the unbiased estimate by \
                order statistics over all subsets of n samples. Bands are 95 % bootstrap intervals over prompts. The upper axis is an \
                upper bound on the KL divergence from the sampled model, log n − (n − 1)/n nats. Where a curve flattens, more samples \
                add little.
                """)
            body.html += "<details><summary>Table of values</summary>\n\(table(panels.flatMap(\.curves)).markup)</details>\n"
            return body
        }
    }

    private struct NamedCurve {
        var system, data: String
        var prompts: Int
        var points: [BestOfNCurve.Point]
    }

    private static func panel(
        _ content: ReportContent, title: String, isOutside: Bool, body: inout ReportSection.Body
    ) -> (panel: PicturePanel, curves: [NamedCurve])? {
        var curves: [NamedCurve] = []
        var tooMany = 0
        for sample in content.samples where sample.table == sample.split && sample.isOutOfDistribution == isOutside {
            guard sample.rows.contains(where: { $0.reward != nil }) else { continue }
            guard curves.count < 8 else {
                tooMany += 1
                continue
            }
            do {
                var random = Philox(seed: 42).split("best of n")
                let input = DiversityInput(tables: [sample.rows])
                let curve = try BestOfNCurve(input, using: &random)
                guard curve.points.count > 1 else { continue }
                curves.append(NamedCurve(system: sample.system, data: sample.split, prompts: input.groups.count, points: curve.points))
            } catch {
                body.notes.append("\(sample.system), \(sample.split): the best-of-n curve cannot be computed: \(error)")
            }
        }
        if tooMany > 0 {
            body.notes.append(
                "The best-of-n curves of \(tooMany) further \(Counted.form(tooMany, "system", "systems")) are not shown (\(title)).")
        }
        guard let longest = curves.map(\.points).max(by: { $0.count < $1.count }) else { return nil }
        var panel = PicturePanel(
            title: title, across: "n, number of responses", up: "reward of the best response",
            curves.enumerated().map { index, curve in
                PictureSeries(
                    curve.system, PictureStyle(index),
                    curve.points.map { PicturePoint(Interval(mean: Double($0.n), low: Double($0.n), high: Double($0.n)), $0.reward) },
                    [.band, .line], label: .atEnd)
            })
        (panel.width, panel.height) = (340, 230)
        panel.scaleAcross = .logarithmic
        let powers = longest.map(\.n).filter { $0.nonzeroBitCount == 1 }
        panel.ticksAcross = powers.map(Double.init)
        let marked = powers.count > 6 ? powers.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) : powers
        panel.above = ("KL bound, nats", marked.map { (Double($0), String(format: "%.2f", BestOfNSimulation.divergence(n: $0))) })
        return (panel, curves)
    }

    private static func table(_ curves: [NamedCurve]) -> HTMLTable {
        var table = HTMLTable(
            "Expected reward of the best of n, with 95 % intervals.",
            [("system", false), ("data", false), ("prompts", true), ("n", true), ("KL bound, nats", true), ("reward", true)])
        for curve in curves {
            for point in curve.points {
                table.rows.append([
                    .text(curve.system), .text(curve.data), .number("\(curve.prompts)", Double(curve.prompts)),
                    .number("\(point.n)", Double(point.n)), .number(String(format: "%.3f", point.divergence), point.divergence),
                    .interval(point.reward),
                ])
            }
        }
        return table
    }
}
