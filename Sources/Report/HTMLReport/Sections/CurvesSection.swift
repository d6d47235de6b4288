import Eval
import Foundation
import Runs

/// The section with the learning curves of each training run.
package enum CurvesSection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "curves", title: "Learning curves") { content in
            var body = ReportSection.Body("")
            for stage in stages {
                let runs = content.runs.filter { $0.stage == stage && !$0.measurements.isEmpty }
                guard !runs.isEmpty else { continue }
                let curves = StageCurves(stage: stage, runs: runs)
                let panels = curves.panels
                guard !panels.isEmpty else { continue }
                let picture = Picture(name: "curves-\(stage.rawValue)", title: "Learning curves: \(stage.description)", panels, columns: 3)
                body.pictures.append(picture)
                let name = stage.description
                body.html += "<h3>\(name.prefix(1).uppercased() + name.dropFirst())</h3>\n" + picture.figure(caption(curves))
                body.html += "<details><summary>Table of values</summary>\n\(curves.table.markup)</details>\n"
                body.notes += curves.notes
            }
            return body.html == "" ? nil : body
        }
    }

    private static let stages: [RunStage] = [.supervised, .rewardModel, .policy, .preference]

    private static func caption(_ curves: StageCurves) -> HTML {
        let count = curves.runs.count
        let whose: HTML = count == 1 ? "Metrics of the run <bdi>\(curves.runs[0].name)</bdi>" : "Metrics of \(count) runs"
        let raw: HTML =
            curves.showsRaw
            ? "Thin lines are the logged values; thick lines are" : "The logged values are not drawn because of the many runs; lines are"
        let thinning: HTML =
            curves.isThinned
            ? " Long lines are thinned to the first, smallest and largest value in each of \(curves.parts) equal parts." : ""
        return """
            \(whose) by training step. \(raw) a bias-corrected exponential moving average over a tenth of the points (at least \
            3).\(thinning) Marks are evaluations: filled in distribution, hollow out of distribution. Runs of the same name in several \
            folders, such as the seeds of a study, share a colour.
            """
    }
}

/// The learning curves of all runs of one stage.
struct StageCurves {
    let stage: RunStage
    let runs: [ReportedRun]
    /// The names of the runs; each name has a colour.
    private let names: [String]
    /// Notes on what is left out.
    var notes: [String] = []

    /// The maximum number of names in one panel.
    private static let nameLimit = 16

    init(stage: RunStage, runs: [ReportedRun]) {
        self.stage = stage
        var names = runs.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if names.count > Self.nameLimit {
            notes.append(
                "Learning curves, \(stage.description): the first \(Self.nameLimit) of \(names.count) run names are drawn; use rlhf-report "
                    + "history for the others.")
            names = Array(names.prefix(Self.nameLimit))
        }
        self.names = names
        // the number of runs is limited as well, for studies with many seeds
        self.runs = Array(runs.filter { names.contains($0.name) }.prefix(64))
    }

    /// Whether the raw values behind smoothed lines are drawn.
    var showsRaw: Bool { runs.count <= 6 }
    /// The number of parts that a line is thinned to.
    var parts: Int { max(6, min(100, 400 / max(1, runs.count))) }
    /// Whether any line is thinned.
    var isThinned: Bool { runs.contains { $0.measurements.count > 3 * parts + 1 } }

    private func known(_ run: ReportedRun) -> Set<String> { run.measurements.reduce(into: []) { $0.formUnion($1.values.keys) } }

    /// One panel for each metric that at least one run has.
    var panels: [PicturePanel] {
        let known = runs.map { (run: $0, names: self.known($0)) }
        return CurveMetric.all.compactMap { metric in
            let series = known.flatMap { self.series(metric, $0.run, $0.names) }
            guard series.contains(where: { !$0.points.isEmpty }) else { return nil }
            var panel = PicturePanel(title: metric.title, across: "step", up: metric.unit(stage), series)
            (panel.width, panel.height) = (220, 150)
            return panel
        }
    }

    private func points(_ name: String, of run: ReportedRun) -> [(step: Double, value: Double)] {
        run.measurements.compactMap { measurement in
            measurement.values[name].flatMap { $0.isFinite ? (Double(measurement.step), $0) : nil }
        }
    }

    private func series(_ metric: CurveMetric, _ run: ReportedRun, _ known: Set<String>) -> [PictureSeries] {
        let place = names.firstIndex(of: run.name) ?? 0
        let isFirst = runs.first { $0.name == run.name }?.folder == run.folder
        let isAlone = runs.count == 1
        let style = PictureStyle(place + 1)
        var result: [PictureSeries] = []
        let training = points(metric.name, of: run)
        let evaluations = metric.evaluations(among: known)
        let label: PictureSeries.Label = isFirst && (!isAlone || !evaluations.isEmpty) ? .atEnd : .none
        if !training.isEmpty {
            let values = training.map(\.value)
            let isSmoothed = values.count >= 6 && !metric.isExact
            let smooth = isSmoothed ? Smoothing.averages(values, span: Smoothing.span(of: values.count)) : values
            func line(_ values: [Double], _ part: PictureSeries.Part, label: PictureSeries.Label) -> PictureSeries {
                PictureSeries(
                    isAlone ? "training" : run.name, style,
                    Smoothing.thinned(values, parts: parts).map { PicturePoint(training[$0].step, values[$0]) }, [part], label: label)
            }
            if isSmoothed, showsRaw { result.append(line(values, .faintLine, label: .none)) }
            result.append(line(smooth, .line, label: label))
        }
        for (index, evaluation) in evaluations.enumerated() {
            let isOutside = evaluation.split.hasPrefix("ood")
            let measured = points(evaluation.name, of: run)
            let kept = Smoothing.thinned(measured.map(\.value), parts: 24).map { PicturePoint(measured[$0].step, measured[$0].value) }
            let marks: PictureSeries.Part = isOutside ? .hollowMarks : .marks
            let isNamed = isAlone ? true : training.isEmpty && index == 0 && isFirst
            result.append(
                PictureSeries(
                    isAlone ? evaluation.split.replacing("_", with: " ") : run.name, isAlone ? PictureStyle(index + 2) : style, kept,
                    measured.count > 3 ? [marks, .faintLine] : [marks], label: isNamed ? .atEnd : .none))
        }
        return result
    }

    /// The values behind the panels. Long runs have only some rows.
    var table: HTMLTable {
        let known = runs.reduce(into: Set<String>()) { $0.formUnion(self.known($1)) }
        let columns = CurveMetric.all.flatMap { metric in
            (known.contains(metric.name) ? [metric.name] : []) + metric.evaluations(among: known).map(\.name)
        }
        let rowsPerRun = max(4, min(24, 240 / max(1, runs.count)))
        let isCut = runs.contains { $0.measurements.count > rowsPerRun }
        let cut: HTML = isCut ? " \(rowsPerRun) evenly spaced steps of each run are shown; metrics.jsonl has all steps." : ""
        var table = HTMLTable(
            "The logged values of the curves.\(cut)", [("run", false), ("step", true)] + columns.map { ($0, true) })
        table.limit = 300
        for run in runs {
            let lines = run.measurements.filter { measurement in columns.contains { measurement.values[$0] != nil } }
            for place in Self.evenly(lines.count, rowsPerRun) {
                let line = lines[place]
                table.rows.append(
                    [.text(run.name), .number("\(line.step)", Double(line.step))]
                        + columns.map { name in .number(line.values[name].map { Statistics.text($0) } ?? "", line.values[name]) })
            }
        }
        return table
    }

    /// Up to `limit` evenly spaced indices of a list of `count` elements, including the first and the last.
    static func evenly(_ count: Int, _ limit: Int) -> [Int] {
        guard count > limit, limit > 1 else { return Array(0..<count) }
        return (0..<limit).map { $0 * (count - 1) / (limit - 1) }
    }
}
