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
        let scores = summary.systems.named.map { name, system in
            (
                name: name, reward: system[keyPath: part].reward, diversity: system[keyPath: part].perInputEAD,
                colour: Self.colour(name, isPolicy: name == summary.systems.ppoName)
            )
        }
        let plot = PicturePanel(left: left, top: Self.margin.top, size: Self.panel, x: scores.map(\.diversity), y: scores.map(\.reward))
        let (x, y) = (plot.x, plot.y)
        var lines = plot.frame(
            title: "\(summary.dataset): \(title)", above: 18, across: "diversity: per-input EAD", below: 42, up: "reward", above: 18)
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
