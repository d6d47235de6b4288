internal import Eval

extension PicturePanel {
    /// A drawn panel: its elements and its size in pixels.
    struct Drawn {
        var elements: [String]
        var width, height: Double
    }

    /// The width needed for names to the right of the frame, in pixels.
    var endRoom: Double {
        let atEnd = series.filter { $0.label == .atEnd && !$0.points.isEmpty }
        return atEnd.map { SVG.width(of: SVG.shortened($0.name)) }.max().map { $0 + 16 } ?? 14
    }

    /// Draws the panel with its upper left corner at the origin.
    /// - Parameter endRoom: the width for names to the right of the frame, in pixels: the maximum over the panels of a page.
    func drawn(endRoom: Double) -> Drawn {
        let atEnd = series.filter { $0.label == .atEnd && !$0.points.isEmpty }
        let (left, top) = (52.0, above == nil ? 44.0 : 76.0)
        let points = series.flatMap(\.points)
        func held(_ values: [Double]) -> [Interval] { values.map { Interval(mean: $0, low: $0, high: $0) } }
        let isSteps = series.contains { $0.parts.contains(.area) }
        let lines = series.contains { !$0.parts.isDisjoint(with: [.line, .faintLine]) }
        let x = PictureAxis(
            points.map(\.x) + held(holdsAcross), from: left, to: left + width, scale: scaleAcross, room: lines || isSteps ? 0.03 : 0.12,
            ticks: ticksAcross)
        let y = PictureAxis(
            points.map(\.y) + held(holdsUp), from: top + height, to: top, scale: scaleUp, room: isSteps ? 0.04 : 0.1, ticks: ticksUp)
        var elements = frame(x, y, left: left, top: top)
        for series in series { elements += draw(series, x, y, bottom: top + height) }
        elements += endLabels(atEnd, x, y, left: left, top: top)
        elements += besideLabels(x, y, left: left, top: top)
        return Drawn(elements: elements, width: left + width + endRoom, height: top + height + 46)
    }

    private func frame(_ x: PictureAxis, _ y: PictureAxis, left: Double, top: Double) -> [String] {
        let (right, bottom) = (left + width, top + height)
        var lines = [SVG.text(4, 15, title, "class=\"heading\" fill=\"#16181d\" font-weight=\"bold\"")]
        for tick in x.ticks {
            lines.append(SVG.gridLine(x.place(tick), top, x.place(tick), bottom))
            lines.append(SVG.text(x.place(tick), bottom + 17, x.label(tick), anchor: "middle"))
        }
        for tick in y.ticks {
            lines.append(SVG.gridLine(left, y.place(tick), right, y.place(tick)))
            lines.append(SVG.text(left - 6, y.place(tick) + 4, y.label(tick), anchor: "end"))
        }
        for mark in above?.marks ?? [] {
            lines.append(SVG.line(x.place(mark.value), top - 4, x.place(mark.value), top, "class=\"frame\" stroke=\"#9ca3af\""))
            lines.append(SVG.text(x.place(mark.value), top - 8, mark.label, anchor: "middle"))
        }
        if let above { lines.append(SVG.text(right, top - 24, above.title, anchor: "end")) }
        lines.append(SVG.frame(left: left, top: top, width: width, height: height))
        lines.append(SVG.text(left + width / 2, bottom + 36, across, anchor: "middle"))
        lines.append(SVG.text(4, above == nil ? top - 11 : top - 40, up))
        if !guide.isEmpty {
            let places = guide.map { (x: x.place($0.x), y: y.place($0.y)) }
            lines.append(SVG.path(places, "class=\"frame\" stroke=\"#9ca3af\" stroke-dasharray=\"4 4\"", width: 1))
        }
        return lines
    }

    private func draw(_ series: PictureSeries, _ x: PictureAxis, _ y: PictureAxis, bottom: Double) -> [String] {
        let (points, style) = (series.points, series.style)
        let places = points.map { (x: x.place($0.x.mean), y: y.place($0.y.mean)) }
        var elements: [String] = []
        if series.parts.contains(.band), points.count > 1 {
            let lower = points.reversed().map { (x: x.place($0.x.mean), y: y.place($0.y.low)) }
            elements.append(SVG.area(points.map { (x: x.place($0.x.mean), y: y.place($0.y.high)) } + lower, style.fill))
        }
        let base = series.base.map(y.place) ?? bottom
        let dash = series.isDashed ? style.dash : ""
        if series.parts.contains(.area), let first = places.first, let last = places.last {
            elements.append(SVG.area([(first.x, base)] + places + [(last.x, base)], style.fill))
        }
        if series.parts.contains(.whiskers) {
            for point in points {
                let (middleX, middleY) = (x.place(point.x.mean), y.place(point.y.mean))
                if point.x.low < point.x.high {
                    elements.append(SVG.line(x.place(point.x.low), middleY, x.place(point.x.high), middleY, style.stroke, width: 1.6))
                }
                if point.y.low < point.y.high {
                    elements.append(SVG.line(middleX, y.place(point.y.low), middleX, y.place(point.y.high), style.stroke, width: 1.6))
                }
            }
        }
        if series.parts.contains(.faintLine) {
            elements.append(SVG.path(places, style.stroke + " stroke-opacity=\"0.45\"", width: 0.8))
        }
        if series.parts.contains(.line), places.count > 1 {
            elements.append(SVG.path(places, style.stroke + dash, width: series.parts.contains(.area) ? 1.4 : 2))
        }
        if series.parts.contains(.line), places.count == 1, let only = places.first { elements.append(style.mark(only.x, only.y, size: 3)) }
        if series.parts.contains(.marks) { elements += places.map { style.mark($0.x, $0.y, size: 4.2) } }
        if series.parts.contains(.hollowMarks) { elements += places.map { style.mark($0.x, $0.y, size: 3.8, isHollow: true) } }
        return elements
    }

    /// Draws names to the right of the frame, as close to the ends of their lines as possible without overlap.
    private func endLabels(_ labelled: [PictureSeries], _ x: PictureAxis, _ y: PictureAxis, left: Double, top: Double) -> [String] {
        let ends = labelled.compactMap { series in
            series.points.last.map { (series: series, x: x.place($0.x.mean), y: y.place($0.y.mean)) }
        }.sorted { $0.y < $1.y }
        let heights = PictureLabels.spread(ends.map(\.y), apart: 14, from: top + 4, to: top + height + 4)
        let right = left + width
        return zip(ends, heights).flatMap { end, height in
            var elements: [String] = []
            if abs(height - end.y) > 5 || right - end.x > 12 {
                elements.append(
                    SVG.line(max(end.x, right), end.x < right ? height : end.y, right + 6, height, end.series.style.stroke, width: 0.7))
            }
            elements.append(SVG.text(right + 8, height + 4, SVG.shortened(end.series.name), end.series.style.fill))
            return elements
        }
    }

    /// Draws names next to single points, where there is space.
    private func besideLabels(_ x: PictureAxis, _ y: PictureAxis, left: Double, top: Double) -> [String] {
        let labelled = series.filter { $0.label == .beside }
        let marks = series.flatMap { series in series.points.map { (x: x.place($0.x.mean), y: y.place($0.y.mean)) } }
        var labels = PictureLabels(left: left, top: top, right: left + width, bottom: top + height, marks: marks)
        return labelled.compactMap { series in
            guard let point = series.points.last else { return nil }
            let name = SVG.shortened(series.name)
            let (middleX, middleY) = (x.place(point.x.mean), y.place(point.y.mean))
            guard let place = labels.place(width: SVG.width(of: name), beside: middleX, middleY) else { return nil }
            return SVG.text(place.x, place.y, name, series.style.fill)
        }
    }
}
