internal import Formats
import Train

/// Formats a `StageProgress` as text.
public enum ProgressLine {
    /// One line of at most `width` columns: label, percentage, bar, steps, rates of the last minute, remaining time, loss or
    /// score. Parts that do not fit are omitted, least important first; the bar takes the remaining space.
    public static func bar(_ progress: StageProgress, width: Int, unicode: Bool = true) -> String {
        let left = "\(progress.stage) \(percent(progress.fraction))"
        var right = parts(progress, short: true)
        // the last column stays empty, because some terminals wrap after it is written
        let room = width - 1
        while true {
            let text = right.map { "  " + $0.text }.joined()
            let bar = min(40, room - left.count - text.count - 1)
            if bar >= 8 {
                return "\(left) \(drawing(progress.fraction, columns: bar, unicode: unicode))\(text)"
            }
            guard let least = right.indices.min(by: { right[$0].need < right[$1].need }), right.count > 1 else {
                return String((left + text).prefix(max(0, room)))
            }
            if left.count + text.count <= room && right.count <= 3 { return left + text }
            right.remove(at: least)
        }
    }

    /// One line for a log, such as "sft: step 185/500 (37 %), 1,460 tokens/s, 2.31 steps/s, 1:23 left, loss 4.758". Rates are
    /// those of the last minute.
    public static func plain(_ progress: StageProgress) -> String {
        var parts = parts(progress, short: false)
        parts[0].text = "\(progress.unit) \(parts[0].text) (\(Int(progress.fraction * 100)) %)"
        return "\(progress.stage): " + parts.map(\.text).joined(separator: ", ")
    }

    /// One line at the end of a stage, such as "sft: 500 steps in 3:12, 730,000 tokens, 3,802 tokens/s, loss of the last step 4.758;
    /// 3:40 in total".
    ///
    /// Steps, tokens and tokens per second are those of this session, and their time runs from its first step to its last. A resumed
    /// stage says "100 of 500 steps".
    /// - Parameters:
    ///   - progress: the progress of the stage.
    ///   - seconds: the time of the whole session, with loading and final evaluations. It is shown if it differs.
    public static func summary(_ progress: StageProgress, seconds: Double) -> String {
        let (all, taken) = (Quantity.duration(seconds), Quantity.duration(progress.sessionSeconds))
        guard progress.sessionSteps > 0 else { return "\(progress.stage): \(all)" }
        let isResumed = progress.sessionSteps < progress.step
        let steps = "\(Counted(progress.step, progress.unit))"
        var text = "\(progress.stage): \(isResumed ? Counted.grouped(progress.sessionSteps) + " of " : "")\(steps) in \(taken)"
        if progress.sessionTokens > 0 { text += ", \(Counted(progress.sessionTokens, "token"))" }
        if let rate = progress.overallTokensPerSecond { text += ", \(Quantity.rate(rate)) tokens/s" }
        if let figure = progress.figure { text += ", \(figure.name) of the last step \(Quantity.loss(figure.value))" }
        return text + (all == taken ? "" : "; \(all) in total")
    }

    private struct Part {
        var text: String
        /// The importance; parts with the smallest value are omitted first.
        var need: Int
    }

    private static func parts(_ progress: StageProgress, short: Bool) -> [Part] {
        var parts = [Part(text: "\(Counted.grouped(progress.step))/\(Counted.grouped(progress.totalSteps))", need: 3)]
        if let rate = progress.tokensPerSecond {
            parts.append(Part(text: "\(Quantity.rate(rate)) \(short ? "tok/s" : "tokens/s")", need: 2))
        }
        if let rate = progress.stepsPerSecond {
            let text =
                rate >= 0.1 || rate <= 0
                ? "\(Quantity.rate(rate)) \(progress.unit)s/s" : "\(Quantity.rate(1 / rate)) s/\(progress.unit)"
            parts.append(Part(text: text, need: 1))
        }
        if let remaining = progress.remaining {
            parts.append(Part(text: "\(Quantity.duration(remaining)) left", need: 5))
        }
        if let figure = progress.figure { parts.append(Part(text: shown(figure), need: 4)) }
        return parts
    }

    private static func shown(_ figure: ProgressFigure) -> String { "\(figure.name) \(Quantity.loss(figure.value))" }

    private static func percent(_ fraction: Double) -> String {
        // rounded down, so that 100 % is shown only at the end
        let text = String(Int(fraction * 100))
        return String(repeating: " ", count: 3 - text.count) + text + "%"
    }

    private static func drawing(_ fraction: Double, columns: Int, unicode: Bool) -> String {
        guard unicode else {
            let full = Int(fraction * Double(columns - 2))
            return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: columns - 2 - full) + "]"
        }
        let eighths = Int(fraction * Double(columns * 8))
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        let drawn = String(repeating: "█", count: eighths / 8) + partial
        return drawn + String(repeating: "░", count: columns - drawn.count)
    }
}
