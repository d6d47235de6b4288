import Eval

/// One panel of a picture: a frame with two axes of round numbers and their lines.
struct PicturePanel {
    /// Where values across and up lie on the page.
    let x, y: PictureAxis
    private let left, top, width, height: Double

    /// A panel that holds all of some intervals.
    init(left: Double, top: Double, size: (width: Double, height: Double), x: [Interval], y: [Interval]) {
        (self.left, self.top, width, height) = (left, top, size.width, size.height)
        self.x = PictureAxis(x, from: left, to: left + size.width)
        self.y = PictureAxis(y, from: top + size.height, to: top)
    }

    /// The frame with its texts, each at a distance from the frame, and the marks of both axes.
    func frame(
        title: String, above titleDistance: Double, across: String, below acrossDistance: Double, up: String, above upDistance: Double
    ) -> [String] {
        var lines = [
            SVG.text(left + width / 2, top - titleDistance, title, anchor: "middle", style: "font-weight=\"bold\""),
            SVG.text(left + width / 2, top + height + acrossDistance, across, anchor: "middle"),
            SVG.text(left - 44, top - upDistance, up, anchor: "start"),
            SVG.frame(left: left, top: top, width: width, height: height),
        ]
        for tick in x.ticks {
            lines.append(SVG.line(x.place(tick), top, x.place(tick), top + height, "#e5e7eb"))
            lines.append(SVG.text(x.place(tick), top + height + 18, x.label(tick), anchor: "middle"))
        }
        for tick in y.ticks {
            lines.append(SVG.line(left, y.place(tick), left + width, y.place(tick), "#e5e7eb"))
            lines.append(SVG.text(left - 6, y.place(tick) + 4, y.label(tick), anchor: "end"))
        }
        return lines
    }
}
