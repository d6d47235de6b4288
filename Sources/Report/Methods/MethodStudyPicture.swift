internal import Eval

/// The fronts of a study of methods: reward against KL, diversity against reward and the generalisation gap of the reward against reward. Every
/// method is a line from the base through its strengths; above in distribution, below out of it.
package struct MethodStudyPicture {
    let study: MethodStudy

    /// The picture of a study.
    package init(study: MethodStudy) { self.study = study }

    private static let panel = (width: 280.0, height: 220.0)
    private static let margin = (left: 66.0, top: 48.0, gap: 84.0, bottom: 60.0)
    private static let legend = (width: 190.0, line: 17.0)
    private static let colours = [
        "#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#db2777", "#65a30d", "#92400e", "#4338ca", "#0f766e", "#be123c",
        "#a16207", "#6b7280",
    ]

    /// One panel: its title, what its axes show, and the numbers of a system.
    private struct Front {
        var title, across, up: String
        var x, y: (MethodStudy.System) -> MethodStudy.Estimate?
    }

    private var fronts: [[Front]] {
        // of the base there is no change
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

    /// The picture as an SVG document.
    package var svg: String {
        let (panel, margin) = (Self.panel, Self.margin)
        let (stepX, stepY) = (panel.width + margin.gap, margin.top + panel.height + margin.bottom)
        let elements = fronts.enumerated().flatMap { row, fronts in
            fronts.enumerated().flatMap { column, front in
                draw(front, left: margin.left + stepX * Double(column), top: margin.top + stepY * Double(row))
            }
        }
        let legendLeft = margin.left + 3 * stepX - margin.gap + 24
        let height = max(2 * stepY, margin.top + Self.legend.line * Double(methods.count + 1))
        return SVG.document(width: legendLeft + Self.legend.width, height: height, elements + legend(left: legendLeft))
    }

    /// The methods but the base, in their order.
    private var methods: [String] {
        study.systems.dropFirst().reduce(into: []) { names, system in if !names.contains(system.method) { names.append(system.method) } }
    }

    private func colour(_ method: String) -> String {
        methods.firstIndex(of: method).map { Self.colours[$0 % Self.colours.count] } ?? "#111827"
    }

    private func legend(left: Double) -> [String] {
        ([study.systems.first?.method].compactMap { $0 } + methods).enumerated().flatMap { place, method in
            let y = Self.margin.top + Self.legend.line * Double(place)
            return [
                mark(place == 0 ? nil : place - 1, left, y - 4, size: 4, colour(method)),
                SVG.text(left + 12, y, method, anchor: "start", style: "fill=\"\(colour(method))\""),
            ]
        }
    }

    /// A point: methods that share a colour differ in their shape.
    private func mark(_ method: Int?, _ x: Double, _ y: Double, size: Double, _ colour: String) -> String {
        let (left, top, width) = (SVG.number(x - size), SVG.number(y - size), SVG.number(2 * size))
        if let method, (method / Self.colours.count + method) % 2 == 1 {
            return "<rect x=\"\(left)\" y=\"\(top)\" width=\"\(width)\" height=\"\(width)\" fill=\"\(colour)\"/>"
        }
        return "<circle cx=\"\(SVG.number(x))\" cy=\"\(SVG.number(y))\" r=\"\(SVG.number(size))\" fill=\"\(colour)\"/>"
    }

    private func draw(_ front: Front, left: Double, top: Double) -> [String] {
        let points = study.systems.compactMap { system -> (system: MethodStudy.System, x: MethodStudy.Estimate, y: MethodStudy.Estimate)? in
            front.x(system).flatMap { x in front.y(system).map { (system, x, $0) } }
        }
        // intervals of many systems would hide the lines: the axes hold the means, and methods.json has the intervals
        func interval(_ value: MethodStudy.Estimate) -> Interval { Interval(mean: value.mean, low: value.mean, high: value.mean) }
        let plot = PicturePanel(
            left: left, top: top, size: Self.panel, x: points.map { interval($0.x) }, y: points.map { interval($0.y) })
        let (x, y) = (plot.x, plot.y)
        var lines = plot.frame(title: front.title, above: 26, across: front.across, below: 38, up: front.up, above: 8)
        let start = points.first { $0.system.changeID.isEmpty }
        for (index, method) in methods.enumerated() {
            let members = points.filter { $0.system.method == method && !$0.system.changeID.isEmpty }
            let path = ((start.map { [$0] } ?? []) + members).map { (x: x.place($0.x.mean), y: y.place($0.y.mean)) }
            if path.count > 1 { lines.append(SVG.path(path, colour(method), width: 1.4)) }
            for (member, place) in zip(members, path.suffix(members.count)) {
                lines.append(mark(index, place.x, place.y, size: 3.5, colour(member.system.method)))
            }
        }
        if let start { lines.append(mark(nil, x.place(start.x.mean), y.place(start.y.mean), size: 5, colour(start.system.method))) }
        return lines
    }
}
