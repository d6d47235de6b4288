extension MetricHistory {
    /// The metrics over the steps as an SVG document, one panel under the other: a thin line for each run, a thick one for the mean of each
    /// group of several.
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
