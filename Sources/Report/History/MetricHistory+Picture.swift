import Eval

extension MetricHistory {
    private static var panel: (width: Double, height: Double) { (320, 200) }
    private static var margin: (left: Double, top: Double, right: Double, bottom: Double) { (70, 40, 150, 44) }
    private static var colours: [String] { ["#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#6b7280"] }

    /// The metrics over the steps as an SVG document, one panel under the other: a thin line for each run, a thick one for the mean of each
    /// group of several.
    package var svg: String {
        let (panel, margin) = (Self.panel, Self.margin)
        let height = margin.top + panel.height + margin.bottom
        let width = margin.left + panel.width + margin.right
        return SVG.document(
            width: width, height: height * Double(metrics.count),
            metrics.enumerated().flatMap { index, metric in
                self.panel(metric, top: margin.top + height * Double(index))
            })
    }

    private func panel(_ metric: String, top: Double) -> [String] {
        let (panel, left) = (Self.panel, Self.margin.left)
        let points = runs.flatMap { $0.points[metric] ?? [] }
        func axis(_ values: [Double], from begin: Double, to end: Double) -> PictureAxis {
            PictureAxis(values.map { Interval(mean: $0, low: $0, high: $0) }, from: begin, to: end)
        }
        let x = axis(points.map { Double($0.step) }, from: left, to: left + panel.width)
        let y = axis(points.map(\.value), from: top + panel.height, to: top)
        var lines = [
            SVG.text(left, top - 14, metric, anchor: "start", style: "font-weight=\"bold\""),
            SVG.text(left + panel.width / 2, top + panel.height + 34, "step", anchor: "middle"),
            SVG.frame(left: left, top: top, width: panel.width, height: panel.height),
        ]
        for tick in x.ticks where tick >= 0 {
            lines.append(SVG.text(x.place(tick), top + panel.height + 18, x.label(tick), anchor: "middle"))
        }
        for tick in y.ticks { lines.append(SVG.text(left - 6, y.place(tick) + 4, y.label(tick), anchor: "end")) }
        for (index, group) in groups.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let members = runs.filter { $0.group == group }
            for run in members {
                lines.append(path(run.points[metric] ?? [], x, y, colour, width: members.count > 1 ? 0.6 : 1.8))
            }
            if members.count > 1 { lines.append(path(means(of: metric, group: group), x, y, colour, width: 2.4)) }
            lines.append(
                SVG.text(
                    left + panel.width + 10, top + 14 + 16 * Double(index), group, anchor: "start",
                    style: "fill=\"\(colour)\""))
        }
        return lines
    }

    private func path(
        _ points: [(step: Int, value: Double)], _ x: PictureAxis, _ y: PictureAxis, _ colour: String, width: Double
    ) -> String {
        SVG.path(points.map { (x.place(Double($0.step)), y.place($0.value)) }, colour, width: width)
    }
}
