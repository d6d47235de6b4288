import Formats
import Foundation
package import Runs
import Study

/// The section on the runs: one row per run, and the options that differ from the defaults.
package enum RunsSection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "runs", title: "Runs") { content in
            guard !content.runs.isEmpty else { return nil }
            var body = ReportSection.Body(table(content.runs).markup + options(content.runs))
            let cut = content.runs.count - detailsLimit
            if cut > 0 {
                body.notes.append("The options of \(cut) further \(Counted.form(cut, "run", "runs")) are not shown; see their config.json.")
            }
            return body
        }
    }

    /// The maximum number of runs whose options are shown.
    private static let detailsLimit = 120

    private static func table(_ runs: [ReportedRun]) -> HTMLTable {
        let folders = Set(runs.map { $0.folder.deletingLastPathComponent() })
        var table = HTMLTable(
            "Stage, time and memory of each run. Time is wall-clock time over all sessions; memory is the peak memory of the process.",
            [
                ("run", false), ("stage", false), ("data set", false), ("state", false), ("steps", true), ("time", true), ("memory", true),
                ("version", false), ("machine", false),
            ])
        table.isSortable = true
        for run in runs {
            let versions = run.configuration.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            table.rows.append([
                .text(folders.count > 1 ? "\(run.folder.deletingLastPathComponent().lastPathComponent)/\(run.name)" : run.name),
                .text(run.stage.description), .text(RunDataset(run.configuration).name),
                .text(run.state == .finished ? "finished" : "unfinished"),
                .number(run.measurements.last.map { "\($0.step)" } ?? "–", run.measurements.last.map { Double($0.step) }),
                .number(run.seconds.map(time) ?? "–", run.seconds),
                .number(run.peakMemory.map { "\(ByteCount(bytes: $0))" } ?? "–", run.peakMemory.map(Double.init)),
                .text(versions), .text(run.machine.map { "\($0.processor), \(Counted($0.cores, "core"))" } ?? "unknown"),
            ])
        }
        return table
    }

    /// A duration in seconds as text, in seconds, minutes or hours.
    package static func time(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "–" }
        if seconds < 60 { return String(format: "%.1f s", seconds) }
        let whole = Int(min(seconds, 1e12).rounded())
        return whole < 3600
            ? "\(whole / 60) min \(String(format: "%02d", whole % 60)) s"
            : "\(whole / 3600) h \(String(format: "%02d", whole % 3600 / 60)) min"
    }

    private static func options(_ runs: [ReportedRun]) -> HTML {
        let details = runs.prefix(detailsLimit).map { run in
            let differing = differences(of: run.configuration)
            var table = HTMLTable(
                "Options of <bdi>\(run.name)</bdi> that differ from the defaults of this version.",
                [("option", false), ("value", false), ("default", false)])
            for (name, value, normal) in differing {
                table.rows.append([
                    .text("--" + name.replacing("_", with: "-")), .text(shortened(value)), .text(normal.map(shortened) ?? "none"),
                ])
            }
            let shown: HTML = differing.isEmpty ? "<p>All options have their default values.</p>" : table.markup
            return """
                <details><summary><bdi>\(run.name)</bdi>: <code><bdi>\(run.configuration.program)</bdi></code>, \(differing.count) \
                \(Counted.form(differing.count, "option differs", "options differ")) from the defaults</summary>
                \(shown)</details>

                """ as HTML
        }
        return "<h3>Options</h3>\n\(details)"
    }

    private static func shortened(_ text: String) -> String { text.count > 300 ? String(text.prefix(300)) + "…" : text }

    /// The options of a run that differ from the defaults of its stage, with the defaults, sorted by name. The run's location
    /// is left out.
    package static func differences(of configuration: RunConfiguration) -> [(name: String, value: String, normal: String?)] {
        let defaults = StageDefaults.all.first { $0.stage == configuration.stage }.flatMap { try? $0.values() } ?? [:]
        return configuration.options.sorted { $0.key < $1.key }.compactMap { name, value in
            guard !["output_dir", "run_id"].contains(name), (defaults[name] ?? .null) != value else { return nil }
            return (name, value.shown, defaults[name].flatMap { $0 == .null ? nil : $0.shown })
        }
    }
}

/// The default options of a stage.
struct StageDefaults: Sendable {
    var stage: RunStage
    var values: @Sendable () throws -> [String: OptionValue]

    /// The defaults of all stages.
    static let all = [
        StageDefaults(stage: SFTStage.kind) { try SFTStage().values },
        StageDefaults(stage: RewardModelStage.kind) { try RewardModelStage().values },
        StageDefaults(stage: PPOStage.kind) { try PPOStage().values },
        StageDefaults(stage: PreferenceStage.kind) { try PreferenceStage().values },
        StageDefaults(stage: BestOfNStage.kind) { try BestOfNStage().values },
        StageDefaults(stage: DiversityStage.kind) { try DiversityStage().values },
    ]
}
