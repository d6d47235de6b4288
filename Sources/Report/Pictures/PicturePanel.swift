package import Eval

/// One point of a series, with its interval in both directions; an interval without width is none.
package struct PicturePoint: Equatable, Sendable {
    /// Across and up.
    package var x, y: Interval

    /// A point with intervals.
    package init(_ x: Interval, _ y: Interval) { (self.x, self.y) = (x, y) }

    /// A point without intervals.
    package init(_ x: Double, _ y: Double) { self.init(Interval(mean: x, low: x, high: x), Interval(mean: y, low: y, high: y)) }
}

/// What belongs together in a panel: a line, marks, a band, or several of them.
package struct PictureSeries: Sendable {
    /// How its points are shown.
    package enum Part: Hashable, Sendable {
        /// A line through the points.
        case line
        /// The same, thin and pale: what a smoothed line was made from.
        case faintLine
        /// A mark at each point.
        case marks
        /// Marks of which only the edge is drawn.
        case hollowMarks
        /// The intervals up as a band around the line.
        case band
        /// The intervals in both directions as lines through the points.
        case whiskers
        /// The area between the points and the panel's lower edge; the points are the corners of steps.
        case area
    }

    /// Where its name stands.
    package enum Label: Sendable {
        /// Nowhere.
        case none
        /// On the right of the panel, at the height of the last point.
        case atEnd
        /// Beside the first point.
        case beside
    }

    /// What it is called.
    package var name: String
    /// Its colour, mark and dash.
    package var style: PictureStyle
    /// From left to right.
    package var points: [PicturePoint]
    /// How it is shown.
    package var parts: Set<Part>
    /// Where its name stands.
    package var label: Label
    /// Where an area ends below; the lower edge of the panel unless given.
    package var base: Double?
    /// Whether lines have the dash of the style; those that have room of their own need none.
    package var isDashed = true

    /// A series.
    package init(_ name: String, _ style: PictureStyle, _ points: [PicturePoint], _ parts: Set<Part>, label: Label = .none) {
        (self.name, self.style, self.points, self.parts, self.label) = (name, style, points, parts, label)
    }
}

/// One panel of a picture: a frame with two axes of round numbers, and series in it.
package struct PicturePanel: Sendable {
    /// Above the frame.
    package var title: String
    /// What the axes show, with units.
    package var across, up: String
    /// What is drawn, from back to front.
    package var series: [PictureSeries]
    /// Size of the frame in pixels.
    package var width = 290.0
    package var height = 210.0
    /// How values across and up become places.
    package var scaleAcross = PictureAxis.Scale.linear
    package var scaleUp = PictureAxis.Scale.linear
    /// Marks of the axis across; round numbers unless given.
    package var ticksAcross: [Double]?
    /// Marks of the axis up; round numbers unless given.
    package var ticksUp: [Double]?
    /// Values that the axes hold beside those of the series.
    package var holdsAcross: [Double] = []
    package var holdsUp: [Double] = []
    /// A second axis across, above the frame: what it shows, and its marks at values of the axis below.
    package var above: (title: String, marks: [(value: Double, label: String)])?
    /// A line that is drawn behind the series, such as the diagonal of a calibration.
    package var guide: [(x: Double, y: Double)] = []
    /// The numbers in words, for those who do not see the picture; made from the series unless given.
    package var words: String?

    /// A panel.
    package init(title: String, across: String, up: String, _ series: [PictureSeries]) {
        (self.title, self.across, self.up, self.series) = (title, across, up, series)
    }

    /// The description for those who do not see the panel: each series with its numbers, as far as they are few.
    package var description: String {
        if let words { return words }
        let named = series.filter { !$0.points.isEmpty && !$0.parts.contains(.faintLine) }
        guard !named.isEmpty else { return "There is nothing to show." }
        let sentences = named.prefix(12).map { series in
            let points = series.points
            guard points.count > 6, let first = points.first, let last = points.last else {
                return "\(series.name): " + points.map { "\(Self.text($0.x)), \(Self.text($0.y))" }.joined(separator: "; ") + "."
            }
            let (least, most) = (points.map(\.y.mean).min() ?? 0, points.map(\.y.mean).max() ?? 0)
            return "\(series.name): from \(Statistics.text(first.y.mean)) at \(Statistics.text(first.x.mean)) to "
                + "\(Statistics.text(last.y.mean)) at \(Statistics.text(last.x.mean)), between \(Statistics.text(least)) and "
                + "\(Statistics.text(most))."
        }
        let rest = named.count > 12 ? [" \(named.count - 12) further series are in the tables."] : []
        return (["Across: \(across). Up: \(up)."] + sentences + rest).joined(separator: " ")
    }

    private static func text(_ value: Interval) -> String {
        value.low == value.high ? Statistics.text(value.mean) : "\(value)"
    }
}
