extension MetricHistory {
    /// The metrics over training steps as an SVG document, with one panel per metric. A group of several runs has a thin line
    /// per run and a thick line for their mean; a single run has one line.
    package var svg: String {
        let panels = metrics.map { metric in
            PicturePanel(
                title: metric, across: "step", up: "",
                groups.enumerated().flatMap { index, group -> [PictureSeries] in
                    let members = runs.filter { $0.group == group }
                    func series(_ points: [(step: Int, value: Double)], _ part: PictureSeries.Part, isNamed: Bool) -> PictureSeries {
                        PictureSeries(
                            group, PictureStyle(index + 1), points.map { PicturePoint(Double($0.step), $0.value) }, [part],
                            label: isNamed ? .atEnd : .none)
                    }
                    guard members.count > 1 else {
                        return members.map { series($0.points[metric] ?? [], .line, isNamed: true) }
                    }
                    return members.map { series($0.points[metric] ?? [], .faintLine, isNamed: false) }
                        + [series(means(of: metric, group: group), .line, isNamed: true)]
                })
        }
        return Picture(name: "metrics", title: "Metrics over steps", panels, columns: 1).document
    }
}
