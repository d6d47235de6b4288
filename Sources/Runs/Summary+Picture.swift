package import Eval
internal import Foundation

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
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
                + "font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        lines += self.panel("in distribution", \.id, left: margin.left)
        lines += self.panel("out of distribution", \.ood, left: margin.left + panel.width + margin.gap)
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    private func panel(_ title: String, _ part: KeyPath<Summary.System, Summary.Scores>, left: Double) -> [String] {
        let (panel, top) = (Self.panel, Self.margin.top)
        let systems = [("SFT", summary.systems.sft), ("PPO", summary.systems.ppo), ("best-of-N", summary.systems.bon)]
        let scores = systems.map { (name: $0.0, reward: $0.1[keyPath: part].reward, diversity: $0.1[keyPath: part].perInputEAD) }
        let x = PictureAxis(scores.map(\.diversity), from: left, to: left + panel.width)
        let y = PictureAxis(scores.map(\.reward), from: top + panel.height, to: top)

        var lines = [
            text(left + panel.width / 2, top - 18, "\(summary.dataset): \(title)", anchor: "middle", style: "font-weight=\"bold\""),
            text(left + panel.width / 2, top + panel.height + 42, "diversity: per-input EAD", anchor: "middle"),
            text(left - 44, top - 18, "reward", anchor: "start"),
            "<rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(panel.width))\" height=\"\(number(panel.height))\" "
                + "fill=\"none\" stroke=\"#9ca3af\"/>",
        ]
        for tick in x.ticks {
            lines.append(line(x.place(tick), top, x.place(tick), top + panel.height, "#e5e7eb"))
            lines.append(text(x.place(tick), top + panel.height + 18, x.label(tick), anchor: "middle"))
        }
        for tick in y.ticks {
            lines.append(line(left, y.place(tick), left + panel.width, y.place(tick), "#e5e7eb"))
            lines.append(text(left - 6, y.place(tick) + 4, y.label(tick), anchor: "end"))
        }
        for (score, colour) in zip(scores, Self.colours) {
            let (middleX, middleY) = (x.place(score.diversity.mean), y.place(score.reward.mean))
            lines.append(line(x.place(score.diversity.low), middleY, x.place(score.diversity.high), middleY, colour, width: 2))
            lines.append(line(middleX, y.place(score.reward.low), middleX, y.place(score.reward.high), colour, width: 2))
            lines.append("<circle cx=\"\(number(middleX))\" cy=\"\(number(middleY))\" r=\"5\" fill=\"\(colour)\"/>")
            lines.append(text(middleX + 8, middleY - 8, score.name, anchor: "start", style: "fill=\"\(colour)\" font-weight=\"bold\""))
        }
        return lines
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, width: Double = 1) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(colour)\" "
            + "stroke-width=\"\(number(width))\"/>"
    }

    private func text(_ x: Double, _ y: Double, _ content: String, anchor: String, style: String = "") -> String {
        let safe = content.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" \(style)>\(safe)</text>"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}

/// Where the values of one axis lie on the page.
package struct PictureAxis {
    /// The values that are marked: round numbers, a few of them.
    package let ticks: [Double]
    private let low, high: Double
    private let begin, end: Double
    private let digits: Int

    /// An axis that holds all of some intervals, from one place on the page to another.
    package init(_ intervals: [Interval], from begin: Double, to end: Double) {
        // numbers whose differences would overflow lie at the edge
        let bound = 1e300
        let least = min(max(intervals.map(\.low).min() ?? 0, -bound), bound)
        let most = min(max(intervals.map(\.high).max() ?? 1, -bound), bound)
        // an axis needs room, and that must be more than what large numbers are rounded by
        let room = max(most - least, 1e-9, max(abs(least), abs(most)) * 0x1p-44) * 0.12
        (low, high) = (least - room, most + room)
        (self.begin, self.end) = (begin, end)
        // the round step 1, 2 or 5 · 10ⁿ that makes five parts or fewer
        let rough = (high - low) / 5
        let power = pow(10, log10(rough).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? 10 * power
        digits = max(0, -Int(log10(step).rounded(.down)))
        ticks = Array(stride(from: (low / step).rounded(.up) * step, through: high, by: step))
    }

    /// The place of a value.
    package func place(_ value: Double) -> Double { begin + (value - low) / (high - low) * (end - begin) }

    /// The text of a mark.
    package func label(_ tick: Double) -> String { String(format: "%.\(digits)f", tick == 0 ? 0 : tick) }
}
