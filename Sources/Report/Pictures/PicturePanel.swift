package import Eval
import Formats

/// One point of a series, with intervals in both directions. An interval of zero width is not drawn.
package struct PicturePoint: Equatable, Sendable {
    /// The horizontal and vertical value.
    package var x, y: Interval

    /// Creates a point with intervals.
    package init(_ x: Interval, _ y: Interval) { (self.x, self.y) = (x, y) }

    /// Creates a point without intervals.
    package init(_ x: Double, _ y: Double) { self.init(Interval(mean: x, low: x, high: x), Interval(mean: y, low: y, high: y)) }
}

/// A series of points in a panel, drawn as a line, marks, a band or a combination of these.
package struct PictureSeries: Sendable {
    /// A way to draw the points.
    package enum Part: Hashable, Sendable {
        /// A line through the points.
        case line
        /// A thin, pale line through the points, for the raw values behind a smoothed line.
        case faintLine
        /// A mark at each point.
        case marks
        /// Marks of which only the outline is drawn.
        case hollowMarks
        /// The vertical intervals, as a band around the line.
        case band
        /// The intervals in both directions, as lines through the points.
        case whiskers
        /// The area between the points and the base; the points are the corners of steps.
        case area
    }

    /// The position of the series' name.
    package enum Label: Sendable {
        /// No name.
        case none
        /// To the right of the panel, at the height of the last point.
        case atEnd
        /// Next to the last point.
        case beside
    }

    /// The name of the series.
    package var name: String
    /// Its colour, mark and dash pattern.
    package var style: PictureStyle
    /// The points, from left to right.
    package var points: [PicturePoint]
    /// How the points are drawn.
    package var parts: Set<Part>
    /// Where the name is placed.
    package var label: Label
    /// The lower end of an area. Default: the lower edge of the panel.
    package var base: Double?
    /// Whether lines use the dash pattern of the style.
    package var isDashed = true

    /// Creates a series.
    package init(_ name: String, _ style: PictureStyle, _ points: [PicturePoint], _ parts: Set<Part>, label: Label = .none) {
        (self.name, self.style, self.points, self.parts, self.label) = (name, style, points, parts, label)
    }
}

/// One panel of a picture: a frame with two axes, and series.
package struct PicturePanel: Sendable {
    /// The title above the frame.
    package var title: String
    /// What the axes show, with units.
    package var across, up: String
    /// The series, from back to front.
    package var series: [PictureSeries]
    /// The width of the frame, in pixels.
    package var width = 290.0
    /// The height of the frame, in pixels.
    package var height = 210.0
    /// The scale of the horizontal axis.
    package var scaleAcross = PictureAxis.Scale.linear
    /// The scale of the vertical axis.
    package var scaleUp = PictureAxis.Scale.linear
    /// Tick marks of the horizontal axis. Default: round numbers.
    package var ticksAcross: [Double]?
    /// Tick marks of the vertical axis. Default: round numbers.
    package var ticksUp: [Double]?
    /// Values that the horizontal axis must include besides those of the series.
    package var holdsAcross: [Double] = []
    /// Values that the vertical axis must include besides those of the series.
    package var holdsUp: [Double] = []
    /// A second horizontal axis, above the frame: its title, and labels at values of the lower axis.
    package var above: (title: String, marks: [(value: Double, label: String)])?
    /// A line behind the series, such as the diagonal of a calibration plot.
    package var guide: [(x: Double, y: Double)] = []
    /// A text alternative for people who cannot see the picture. Default: made from the series.
    package var words: String?

    /// Creates a panel.
    package init(title: String, across: String, up: String, _ series: [PictureSeries]) {
        (self.title, self.across, self.up, self.series) = (title, across, up, series)
    }

    /// The text alternative of the panel: at most 12 series, each with all of its numbers if there are few points.
    package var description: String {
        if let words { return words }
        let named = series.filter { !$0.points.isEmpty && !$0.parts.contains(.faintLine) }
        guard !named.isEmpty else { return "No data." }
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
        let rest =
            named.count > 12
            ? [" \(named.count - 12) further series \(Counted.form(named.count - 12, "is", "are")) listed in the tables."] : []
        return (["Horizontal axis: \(across). Vertical axis: \(up)."] + sentences + rest).joined(separator: " ")
    }

    private static func text(_ value: Interval) -> String {
        value.low == value.high ? Statistics.text(value.mean) : "\(value)"
    }
}
