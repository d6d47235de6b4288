internal import Foundation
import Formats
import Tensor

/// The section for browsing texts: for each prompt, the responses of all systems side by side, with their metrics and the
/// verdicts of judges.
///
/// The content is complete markup; the script only searches, filters and sorts it.
package enum TextsSection {
    /// Limits on the size of the section.
    package struct Limits: Sendable {
        /// The maximum size of the section's markup, in bytes.
        package var bytes = 1_200_000
        /// The maximum number of samples shown for a system and prompt.
        package var samplesPerSystem = 3
        /// The maximum number of characters of a prompt, and of a response or reference.
        package var promptCharacters = 4000, responseCharacters = 2000

        /// The defaults.
        package init() {}
    }

    /// The section.
    /// - Parameters:
    ///   - seed: the seed for selecting prompts if not all can be shown.
    ///   - limits: limits on its size.
    package static func section(seed: UInt64, limits: Limits = Limits()) -> ReportSection {
        ReportSection(id: "texts", title: "Texts") { content in
            body(content, verdicts: TextsVerdicts(content.runs), seed: seed, limits: limits)
        }
    }

    /// The content below the heading; nil without samples.
    static func body(_ content: ReportContent, verdicts: TextsVerdicts, seed: UInt64, limits: Limits) -> ReportSection.Body? {
        let table = TextsTable(content.samples)
        guard !table.splits.isEmpty else { return nil }
        var markup = TextsMarkup(table: table, verdicts: verdicts)
        markup.samplesPerSystem = limits.samplesPerSystem
        (markup.promptLimit, markup.responseLimit) = (limits.promptCharacters, limits.responseCharacters)
        var random = Philox(seed: seed).split("texts")
        var notes = table.notes + verdicts.notes
        // space that small splits do not need is left for large ones
        let order = table.splits.indices.sorted { (table.splits[$0].prompts.count, $0) < (table.splits[$1].prompts.count, $1) }
        var chosen: [Int: [HTML]] = [:]
        var left = limits.bytes
        for (place, split) in order.enumerated() {
            let some = choose(table.splits[split], markup, bytes: left / (order.count - place), using: &random)
            left -= some.map(\.source.utf8.count).reduce(0, +)
            chosen[split] = some
        }
        let said = table.splits.indices.map { place -> HTML in
            let (split, count) = (table.splits[place], chosen[place]?.count ?? 0)
            guard count < split.prompts.count else {
                return "<bdi>\(split.name)</bdi>: all \(count) \(Counted.form(count, "prompt", "prompts"))"
            }
            let shown = "\(count) of \(split.prompts.count) prompts"
            notes.append("Texts: \(shown) of \(split.name) are shown, drawn at random, to limit the size of the page.")
            return "<bdi>\(split.name)</bdi>: \(shown), drawn at random"
        }
        let parts = table.splits.indices.flatMap { chosen[$0] ?? [] }
        let counts = HTML(said.enumerated().map { $0.offset == 0 ? $0.element : "; " + $0.element })
        var result = ReportSection.Body(
            """
            <p class="quiet">The first \(limits.samplesPerSystem) samples of every system for each prompt (\(counts)). \
            The metrics of a sample come from its table; KL is in nats, lengths are in tokens.</p>
            <div id="texts-controls" class="screen"></div>
            <div id="texts-list">
            \(parts)</div>
            <div id="texts-pages" class="screen"></div>

            """)
        result.notes = notes
        result.styles = [PageResource.text(PackageResources.texts_css)]
        result.scripts = [PageResource.text(PackageResources.texts_js)]
        result.data = [("texts-data", json(table))]
        return result
    }

    /// A random selection of prompts that fits into a number of bytes, in the order of the split. It contains at least one
    /// prompt.
    private static func choose(
        _ split: TextsTable.Split, _ markup: TextsMarkup, bytes: Int, using random: inout Philox
    ) -> [HTML] {
        var chosen: [(number: Int, markup: HTML)] = []
        var left = bytes
        for prompt in split.prompts.shuffled(using: &random) {
            let next = markup.markup(prompt, of: split)
            left -= next.source.utf8.count
            // continuing with shorter prompts would bias the selection towards them
            guard left >= 0 || chosen.isEmpty else { break }
            chosen.append((prompt.number, next))
        }
        return chosen.sorted { $0.number < $1.number }.map(\.markup)
    }

    /// The names that the script uses, as JSON.
    private static func json(_ table: TextsTable) -> String {
        struct Names: Encodable {
            var systems: [String]
            var metrics: [String]
            var splits: [[String]]
        }
        let names = Names(
            systems: table.systems, metrics: table.metrics.map(\.label), splits: table.splits.map { [$0.slug, $0.name] })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(names)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
