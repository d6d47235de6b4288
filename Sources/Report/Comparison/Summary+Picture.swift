internal import Eval

/// The picture of a comparison: what each system gains in reward against what it keeps of its diversity, with intervals; the left panel
/// for prompts like those of training, the right one out of distribution.
package struct SummaryPicture {
    let summary: Summary

    /// The picture of a summary.
    package init(summary: Summary) { self.summary = summary }

    private static let panel = (width: 300.0, height: 220.0)
    private static let margin = (left: 62.0, top: 48.0, gap: 76.0, bottom: 64.0)

    /// The colour of a system; a method of preferences has that of none of the others.
    private static func colour(_ name: String, isPolicy: Bool) -> String {
        switch isPolicy ? "PPO" : name {
        case "SFT": "#6b7280"
        case "PPO": "#2563eb"
        case "best-of-N": "#d97706"
        default: "#059669"
        }
    }

    /// The picture as an SVG document.
    package var svg: String {
        let (panel, margin) = (Self.panel, Self.margin)
        let width = margin.left + 2 * panel.width + margin.gap + 20
        let height = margin.top + panel.height + margin.bottom
        return SVG.document(
            width: width, height: height,
            self.panel("in distribution", \.id, left: margin.left)
                + self.panel("out of distribution", \.ood, left: margin.left + panel.width + margin.gap))
    }

    private func panel(_ title: String, _ part: KeyPath<Summary.System, Summary.Scores>, left: Double) -> [String] {
        let (panel, top) = (Self.panel, Self.margin.top)
        let scores = summary.systems.named.map { name, system in
            (
                name: name, reward: system[keyPath: part].reward, diversity: system[keyPath: part].perInputEAD,
                colour: Self.colour(name, isPolicy: name == summary.systems.ppoName)
            )
        }
        let x = PictureAxis(scores.map(\.diversity), from: left, to: left + panel.width)
        let y = PictureAxis(scores.map(\.reward), from: top + panel.height, to: top)

        var lines = [
            SVG.text(left + panel.width / 2, top - 18, "\(summary.dataset): \(title)", anchor: "middle", style: "font-weight=\"bold\""),
            SVG.text(left + panel.width / 2, top + panel.height + 42, "diversity: per-input EAD", anchor: "middle"),
            SVG.text(left - 44, top - 18, "reward", anchor: "start"),
            SVG.frame(left: left, top: top, width: panel.width, height: panel.height),
        ]
        for tick in x.ticks {
            lines.append(SVG.line(x.place(tick), top, x.place(tick), top + panel.height, "#e5e7eb"))
            lines.append(SVG.text(x.place(tick), top + panel.height + 18, x.label(tick), anchor: "middle"))
        }
        for tick in y.ticks {
            lines.append(SVG.line(left, y.place(tick), left + panel.width, y.place(tick), "#e5e7eb"))
            lines.append(SVG.text(left - 6, y.place(tick) + 4, y.label(tick), anchor: "end"))
        }
        for score in scores {
            let colour = score.colour
            let (middleX, middleY) = (x.place(score.diversity.mean), y.place(score.reward.mean))
            lines.append(SVG.line(x.place(score.diversity.low), middleY, x.place(score.diversity.high), middleY, colour, width: 2))
            lines.append(SVG.line(middleX, y.place(score.reward.low), middleX, y.place(score.reward.high), colour, width: 2))
            lines.append("<circle cx=\"\(SVG.number(middleX))\" cy=\"\(SVG.number(middleY))\" r=\"5\" fill=\"\(colour)\"/>")
            lines.append(SVG.text(middleX + 8, middleY - 8, score.name, anchor: "start", style: "fill=\"\(colour)\" font-weight=\"bold\""))
        }
        return lines
    }
}
