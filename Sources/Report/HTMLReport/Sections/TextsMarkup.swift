internal import Formats
internal import Foundation
import Data

/// Makes the markup of one prompt with the systems' samples. It is complete without scripts.
///
/// Scripts use it as well: the attribute `data-m` contains the means over a system's samples, separated by commas, in the order
/// of the metrics.
struct TextsMarkup {
    /// The samples of all systems.
    var table: TextsTable
    /// The verdicts of judges.
    var verdicts: TextsVerdicts
    /// The maximum number of samples shown for a system and prompt. The first is visible, the others are collapsed.
    var samplesPerSystem = 3
    /// The maximum number of characters (Unicode scalars) of a prompt, and of a response or reference.
    var promptLimit = 4000, responseLimit = 2000

    /// The markup of one prompt.
    func markup(_ prompt: TextsPrompt, of split: TextsTable.Split) -> HTML {
        let id = "text-\(split.slug)-\(prompt.number)"
        let reference: HTML =
            prompt.reference.map {
                "<div class=\"t-reference\"><h4>Reference</h4>\n\(text($0, limit: responseLimit))</div>\n" as HTML
            } ?? ""
        return """
            <article class="t-prompt" id="\(id)" data-split="\(split.slug)" data-n="\(prompt.number)" aria-labelledby="\(id)-h">
            <h3 id="\(id)-h"><a class="t-link" href="#\(id)"><bdi>\(split.name)</bdi> \(prompt.number)</a> \
            <span class="quiet">id <bdi class="t-id">\(cut(prompt.id, 200).shown)</bdi></span></h3>
            <div class="t-input"><h4>Prompt</h4>
            \(text(prompt.input, limit: promptLimit))</div>
            \(reference)<div class="t-systems">
            \(prompt.answers.map { system($0, of: prompt) })</div>
            \(judged(prompt))</article>

            """
    }

    private func system(_ answers: TextsPrompt.Answers, of prompt: TextsPrompt) -> HTML {
        let shown = answers.rows.prefix(samplesPerSystem)
        let means = table.metrics.map { answers.mean($0).map(Self.short) ?? "" }.joined(separator: ",")
        let first: HTML = shown.first.map(sample) ?? ""
        var more: HTML = ""
        if shown.count > 1 {
            more = "<details><summary>\(shown.count - 1) more</summary>\n\(shown.dropFirst().map(sample))</details>\n"
        }
        return """
            <div class="t-system" data-s="\(answers.system)" data-m="\(means)">
            <h4><bdi>\(table.systems[answers.system])</bdi></h4>
            \(range(answers))\(first)\(more)</div>

            """
    }

    /// The number of samples and their range of rewards, if there are several samples.
    private func range(_ answers: TextsPrompt.Answers) -> HTML {
        let count = answers.rows.count
        guard count > 1 else { return "" }
        let rewards = answers.rows.compactMap(\.reward).filter(\.isFinite)
        var rewardRange = ""
        if let worst = rewards.min(), let best = rewards.max() {
            let mean = rewards.reduce(0, +) / Double(rewards.count)
            rewardRange = "; reward \(Self.short(worst)) to \(Self.short(best)), mean \(Self.short(mean))"
        }
        let shown = min(count, samplesPerSystem)
        return "<p class=\"t-range quiet\">\(count) samples\(shown < count ? ", \(shown) shown" : "")\(rewardRange)</p>\n"
    }

    private func sample(_ row: SampleRow) -> HTML {
        let values = table.metrics.map { metric in metric.value(row).flatMap { $0.isFinite ? $0 : nil } }
        let words = zip(table.metrics, values).compactMap { metric, value -> HTML? in
            value.map { "<span><bdi>\(metric.label)</bdi> <b>\(Self.short($0))</b></span>" as HTML }
        }
        let numbers: HTML = words.isEmpty ? "" : "<p class=\"t-numbers\">\(HTML(Self.joined(words)))</p>\n"
        return "<div class=\"t-sample\">\n\(numbers)\(text(row.response, limit: responseLimit))</div>\n"
    }

    private static func joined(_ parts: [HTML]) -> [HTML] {
        parts.enumerated().map { $0.offset == 0 ? $0.element : " " + $0.element }
    }

    /// The verdicts of judges on responses to the prompt.
    private func judged(_ prompt: TextsPrompt) -> HTML {
        let all = verdicts.byInput[prompt.input] ?? []
        guard !all.isEmpty else { return "" }
        let lines = all.prefix(12).map { verdict -> HTML in
            let (first, second) = (
                name(verdict.names.first, of: verdict.first, prompt), name(verdict.names.second, of: verdict.second, prompt)
            )
            let said: HTML =
                if !verdict.isAnswered {
                    "no verdict on <bdi>\(first)</bdi> and <bdi>\(second)</bdi>"
                } else if verdict.outcome == 0.5 {
                    "<bdi>\(first)</bdi> and <bdi>\(second)</bdi> are equal"
                } else {
                    verdict.outcome > 0.5
                        ? "<b><bdi>\(first)</bdi></b> is better than <bdi>\(second)</bdi>"
                        : "<b><bdi>\(second)</bdi></b> is better than <bdi>\(first)</bdi>"
                }
            return
                "<li>\(said) <span class=\"quiet\">(run <bdi>\(verdict.run)</bdi>, share of the first \(Self.short(verdict.outcome)))</span></li>\n"
        }
        let cut: HTML = all.count > lines.count ? "<li>and \(all.count - lines.count) more</li>\n" : ""
        return "<div class=\"t-judged\"><h4>The judge’s verdicts</h4>\n<ul>\(lines)\(cut)</ul></div>\n"
    }

    /// The name of the only system that generated a text for a prompt; `fallback`, the name in the judge's run, if no system or
    /// several did.
    private func name(_ fallback: String, of text: String, _ prompt: TextsPrompt) -> String {
        let writers = prompt.answers.filter { $0.rows.contains { $0.response == text } }
        guard writers.count == 1 else { return fallback }
        return table.systems[writers[0].system]
    }

    // MARK: Texts and numbers

    /// A text in a separate element, with its line breaks and writing direction.
    private func text(_ text: String, limit: Int) -> HTML {
        if text.isEmpty { return "<p class=\"quiet\">(empty)</p>\n" }
        let (shown, more) = cut(text, limit)
        let note: HTML =
            more > 0 ? "<p class=\"quiet t-cut\">\(more) more \(Counted.form(more, "character is", "characters are")) not shown.</p>\n" : ""
        return "<div class=\"text\" dir=\"auto\">\(shown)</div>\n\(note)"
    }

    /// The beginning of a text, and the number of characters cut off. Characters are Unicode scalars, since one grapheme can
    /// have any number of them.
    private func cut(_ text: String, _ limit: Int) -> (shown: String, more: Int) {
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex), end < scalars.endIndex else {
            return (text, 0)
        }
        return (String(scalars[..<end]), scalars.distance(from: end, to: scalars.endIndex))
    }

    /// A number with three decimals; an integer without decimals; a very small or large number in scientific notation.
    static func short(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e7 { return String(Int(value)) }
        return abs(value) >= 0.01 && abs(value) < 10_000 ? String(format: "%.3f", value) : String(format: "%.3e", value)
    }
}
