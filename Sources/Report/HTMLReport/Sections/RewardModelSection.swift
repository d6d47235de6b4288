import Eval
import Formats
import Foundation
import Runs

/// The section on reward models: accuracy, calibration, and distributions of scores.
package enum RewardModelSection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "reward-model", title: "Reward model") { content in
            let models = content.runs.filter { $0.stage == .rewardModel }
            var body = ReportSection.Body("")
            if !models.isEmpty { body.html += accuracies(models).markup }
            var isCut = 0
            for (index, model) in models.enumerated() {
                do {
                    let scores = try PairScores.read(inRun: model.folder).filter { !$0.pairs.isEmpty }
                    guard !scores.isEmpty else {
                        body.notes.append(
                            "\(model.name): no calibration and no scores of pairs; train the reward model with --save-preds to save them."
                        )
                        continue
                    }
                    guard index < 4 else {
                        isCut += 1
                        continue
                    }
                    add(scores, of: model, number: index, to: &body)
                } catch {
                    body.notes.append("\(model.name): the calibration cannot be computed: \(error)")
                }
            }
            if isCut > 0 {
                body.notes.append("The calibration of \(isCut) further reward \(Counted.form(isCut, "model", "models")) is not shown.")
            }
            addRewards(content, to: &body)
            return body.html == "" && body.notes.isEmpty ? nil : body
        }
    }

    private static func accuracies(_ models: [ReportedRun]) -> HTMLTable {
        var table = HTMLTable(
            """
            The last evaluation of each reward model. Accuracy is the share of held-out pairs that it ranks as labelled; 0.5 is chance. \
            Wilson intervals are shown if the scores of the pairs were saved.
            """,
            [("reward model", false), ("split", false), ("pairs", true), ("accuracy", true), ("loss, nats per pair", true)])
        for model in models {
            let kept = (try? PairScores.read(inRun: model.folder)) ?? []
            for split in model.measurements.reduce(into: Set<String>(), { $0.formUnion($1.values.keys) })
                .compactMap({ $0.hasSuffix("_accuracy") ? String($0.dropLast("_accuracy".count)) : nil }).sorted(by: { $0.count < $1.count }
                )
            {
                let accuracy = model.measurements.last(of: "\(split)_accuracy")
                let loss = model.measurements.last(of: "\(split)_loss")
                let scores = kept.first { $0.split == split }
                // the accuracy is the logged one; its interval is computed from the number of pairs
                let interval = accuracy.map { share -> Interval in
                    guard let count = scores?.pairs.count, count > 0 else { return Interval(mean: share, low: share, high: share) }
                    return Calibration.wilson(share * Double(count), of: Double(count))
                }
                table.rows.append([
                    .text(model.name), .text(split),
                    .number(scores.map { "\($0.pairs.count)" } ?? "–", scores.map { Double($0.pairs.count) }),
                    .interval(interval), .number(loss.map { String(format: "%.3f", $0) } ?? "–", loss),
                ])
            }
        }
        return table
    }

    private static func add(_ scores: [PairScores], of model: ReportedRun, number: Int, to body: inout ReportSection.Body) {
        let suffix = number == 0 ? "" : "-\(number + 1)"
        let calibrations = scores.map { (split: $0.split, calibration: Calibration($0.pairs), count: $0.pairs.count) }
        var panel = PicturePanel(
            title: "Calibration", across: "predicted probability of the preferred response", up: "share ranked correctly",
            calibrations.enumerated().map { index, part in
                PictureSeries(
                    part.split.replacing("_", with: " "), PictureStyle(index + 1),
                    part.calibration.bins.map {
                        PicturePoint(Interval(mean: $0.predicted, low: $0.predicted, high: $0.predicted), $0.observed)
                    }, [.band, .line, .marks], label: .atEnd)
            })
        panel.guide = [(0.5, 0.5), (1, 1)]
        (panel.holdsAcross, panel.holdsUp) = ([0.5, 1], [0.5, 1])
        panel.width = 220
        let histograms = scores.prefix(3).compactMap { part -> PicturePanel? in
            histogram(
                title: "Scores, \(part.split.replacing("_", with: " "))", across: "score of the reward model",
                [("preferred", part.pairs.map(\.chosen)), ("other", part.pairs.map(\.rejected))])
        }
        let picture = Picture(name: "reward-model\(suffix)", title: "Reward model \(model.name)", [panel] + histograms, columns: 3)
        body.pictures.append(picture)
        let errors = calibrations.map { part -> HTML in
            "\(part.split): \(part.count) \(Counted.form(part.count, "pair", "pairs")), expected calibration error \(String(format: "%.3f", part.calibration.error))"
        }
        let list = errors.enumerated().map { index, text -> HTML in index == 0 ? text : "; \(text)" }
        body.html += picture.figure(
            """
            <bdi>\(model.name)</bdi>. Calibration: the share of pairs that the model ranks as labelled, by its predicted probability, in \
            bins with equal numbers of pairs; bands are 95 % Wilson intervals. The dashed line is perfect calibration; below it the model \
            is overconfident. The probability is σ of the difference of the two scores. \(list). Histograms: the scores of preferred and \
            other responses, as shares of all responses; values outside the middle 99 % are counted at the edges. The less the two \
            overlap, the better the model separates preferred from other responses.
            """)
        var table = HTMLTable(
            "The calibration of <bdi>\(model.name)</bdi>, with 95 % Wilson intervals.",
            [("split", false), ("pairs", true), ("predicted probability", true), ("share ranked correctly", true)])
        for part in calibrations {
            for bin in part.calibration.bins {
                table.rows.append([
                    .text(part.split), .number("\(bin.count)", Double(bin.count)),
                    .number(String(format: "%.3f", bin.predicted), bin.predicted), .interval(bin.observed),
                ])
            }
        }
        body.html += "<details><summary>The numbers</summary>\n\(table.markup)</details>\n"
    }

    /// Adds histograms of the rewards of each system's responses, in and out of distribution.
    private static func addRewards(_ content: ReportContent, to body: inout ReportSection.Body) {
        let limit = 6
        var most = 0
        let panels = [("in distribution", false), ("out of distribution", true)].compactMap { title, isOutside -> PicturePanel? in
            let samples = content.samples.filter { $0.isOutOfDistribution == isOutside && $0.rows.contains { $0.reward != nil } }
            most = max(most, samples.count)
            return rows(title: title, across: "reward", samples.prefix(limit).map { ($0.system, $0.rows.compactMap(\.reward)) })
        }
        guard !panels.isEmpty else { return }
        if most > limit { body.notes.append("Histograms of rewards: only the first \(limit) of \(most) systems are drawn.") }
        let picture = Picture(name: "reward-histograms", title: "Rewards of the systems’ responses", panels)
        body.pictures.append(picture)
        body.html += picture.figure(
            """
            The distribution of the rewards of each system’s responses, one row per system. The height is the share of its responses, on \
            the same scale in all rows; values outside the middle 99 % are counted at the edges. A narrow peak means that a system’s \
            responses have similar rewards.
            """)
    }

    private static func histogram(
        title: String, across: String, _ lists: [(name: String, values: [Double])]
    ) -> PicturePanel? {
        let lists = lists.filter { !$0.values.isEmpty }
        guard let range = Histogram.range(of: lists.map(\.values)) else { return nil }
        let series = lists.enumerated().flatMap { index, list -> [PictureSeries] in
            let histogram = Histogram(list.values, from: range.low, to: range.high, bins: 30)
            let style = PictureStyle(index + 1)
            let corners = histogram.corners
            let peak = corners.max { $0.y.mean < $1.y.mean }
            var steps = PictureSeries(list.name, style, corners, [.area, .line])
            steps.isDashed = false
            return [
                steps,
                PictureSeries(list.name, style, peak.map { [$0] } ?? [], [], label: .beside),
            ]
        }
        var panel = PicturePanel(title: title, across: across, up: "share of responses", series)
        panel.holdsUp = [0]
        panel.width = 220
        panel.words = words(lists)
        return panel
    }

    /// Histograms in rows below each other, each with a separate baseline.
    private static func rows(title: String, across: String, _ lists: [(name: String, values: [Double])]) -> PicturePanel? {
        let lists = lists.filter { !$0.values.isEmpty }
        guard let range = Histogram.range(of: lists.map(\.values)) else { return nil }
        let histograms = lists.map { Histogram($0.values, from: range.low, to: range.high, bins: 40) }
        let most = max(histograms.flatMap(\.shares).max() ?? 1, 1e-9)
        let series = zip(lists, histograms).enumerated().flatMap { index, row -> [PictureSeries] in
            let (style, base) = (PictureStyle(index), Double(lists.count - 1 - index))
            let corners = row.1.corners.map { PicturePoint($0.x.mean, base + 0.9 * $0.y.mean / most) }
            var steps = PictureSeries(row.0.name, style, corners, [.area, .line])
            (steps.base, steps.isDashed) = (base, false)
            return [steps, PictureSeries(row.0.name, style, [PicturePoint(range.high, base + 0.25)], [], label: .atEnd)]
        }
        var panel = PicturePanel(title: title, across: across, up: "share of responses", series)
        (panel.height, panel.ticksUp) = (max(90, 46 * Double(lists.count)), [])
        panel.holdsUp = [0, Double(lists.count)]
        panel.words = words(lists)
        return panel
    }

    private static func words(_ lists: [(name: String, values: [Double])]) -> String {
        lists.map { list in
            let sorted = list.values.sorted()
            let quartiles = [0.25, 0.5, 0.75].compactMap { Statistics.quantile($0, ofSorted: sorted) }.map(Statistics.text)
            return
                "\(list.name): \(sorted.count) \(Counted.form(sorted.count, "value", "values")), quartiles \(quartiles.joined(separator: ", "))."
        }.joined(separator: " ")
    }
}
