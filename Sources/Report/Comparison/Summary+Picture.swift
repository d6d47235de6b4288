internal import Eval

/// The picture of a comparison: what each system gains in reward against what it keeps of its diversity, with intervals; the left panel
/// for prompts like those of training, the right one out of distribution.
package struct SummaryPicture {
    let summary: Summary

    /// The picture of a summary.
    package init(summary: Summary) { self.summary = summary }

    private static let panel = (width: 300.0, height: 220.0)
    private static let margin = (left: 62.0, top: 48.0, gap: 76.0, bottom: 64.0)
    private static let colours = ["#6b7280", "#2563eb", "#d97706"]

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
        let systems = [("SFT", summary.systems.sft), ("PPO", summary.systems.ppo), ("best-of-N", summary.systems.bon)]
        let scores = systems.map { (name: $0.0, reward: $0.1[keyPath: part].reward, diversity: $0.1[keyPath: part].perInputEAD) }
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
        for (score, colour) in zip(scores, Self.colours) {
            let (middleX, middleY) = (x.place(score.diversity.mean), y.place(score.reward.mean))
            lines.append(SVG.line(x.place(score.diversity.low), middleY, x.place(score.diversity.high), middleY, colour, width: 2))
            lines.append(SVG.line(middleX, y.place(score.reward.low), middleX, y.place(score.reward.high), colour, width: 2))
            lines.append("<circle cx=\"\(SVG.number(middleX))\" cy=\"\(SVG.number(middleY))\" r=\"5\" fill=\"\(colour)\"/>")
            lines.append(SVG.text(middleX + 8, middleY - 8, score.name, anchor: "start", style: "fill=\"\(colour)\" font-weight=\"bold\""))
        }
        return lines
    }
}
