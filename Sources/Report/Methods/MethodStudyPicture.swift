internal import Eval

/// The picture of a study of methods: reward against KL, diversity against reward, and generalisation gap against reward. Each
/// method is a line from the base through its strengths. The upper row is in distribution, the lower row out of distribution,
/// with the gaps of reward and gold.
package struct MethodStudyPicture {
    let study: MethodStudy

    /// Creates the picture of a study.
    package init(study: MethodStudy) { self.study = study }

    /// One panel: its title, its axes, and the values of a system on them.
    private struct Front {
        var title, across, up: String
        var x, y: (MethodStudy.System) -> MethodStudy.Estimate?
    }

    private var fronts: [[Front]] {
        // the base has a change of 0 by definition
        let none = MethodStudy.Estimate(Interval(mean: 0, low: 0, high: 0), seeds: [])
        func gain(_ part: KeyPath<MethodStudy.System, [MethodStudy.Metric: MethodStudy.Estimate]>) -> (MethodStudy.System) -> MethodStudy
            .Estimate?
        {
            { $0.changeID.isEmpty ? none : $0[keyPath: part][.reward] }
        }
        let base = study.systems.first?.method ?? "the base"
        func row(
            _ title: String, _ part: @escaping (MethodStudy.System) -> [MethodStudy.Metric: MethodStudy.Estimate],
            _ gain: @escaping (MethodStudy.System) -> MethodStudy.Estimate?
        ) -> [Front] {
            [
                Front(
                    title: title, across: "KL from \(base), nats", up: "reward above \(base)", x: { part($0)[.kl] }, y: gain),
                Front(title: title, across: "reward above \(base)", up: "diversity: per-input EAD", x: gain, y: { part($0)[.perInputEAD] }),
            ]
        }
        return [
            row("in distribution", { $0.id }, gain(\.changeID))
                + [
                    Front(
                        title: "generalisation", across: "reward above \(base), id", up: "gap: reward, id − ood", x: gain(\.changeID),
                        y: { $0.gap[.reward] })
                ],
            row("out of distribution", { $0.ood }, gain(\.changeOOD))
                + [
                    Front(
                        title: "generalisation", across: "reward above \(base), id", up: "gap: gold, id − ood", x: gain(\.changeID),
                        y: { $0.gap[.gold] })
                ],
        ]
    }

    /// The panels as a picture, three per row.
    package var picture: Picture {
        let panels = fronts.flatMap { $0 }
        return Picture(name: "methods", title: "\(study.dataset): methods", panels.map(panel), columns: 3)
    }

    /// The picture as an SVG document.
    package var svg: String { picture.document }

    /// The methods except the base, in order.
    private var methods: [String] {
        study.systems.dropFirst().reduce(into: []) { names, system in if !names.contains(system.method) { names.append(system.method) } }
    }

    private func panel(_ front: Front) -> PicturePanel {
        let points = study.systems.compactMap { system -> (system: MethodStudy.System, point: PicturePoint)? in
            // intervals of many systems would hide the lines, so only means are drawn; methods.json contains the intervals
            front.x(system).flatMap { x in front.y(system).map { (system, PicturePoint(x.mean, $0.mean)) } }
        }
        let start = points.first { $0.system.changeID.isEmpty }
        var series = methods.enumerated().compactMap { index, method -> PictureSeries? in
            let members = points.filter { $0.system.method == method && !$0.system.changeID.isEmpty }.map(\.point)
            guard !members.isEmpty else { return nil }
            return PictureSeries(
                method, PictureStyle(index + 1), (start.map { [$0.point] } ?? []) + members, [.line, .marks], label: .atEnd)
        }
        if let start { series.append(PictureSeries(start.system.method, PictureStyle(0), [start.point], [.marks], label: .beside)) }
        return PicturePanel(title: front.title, across: front.across, up: front.up, series)
    }
}
