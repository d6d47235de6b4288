import Eval
import Formats
import Foundation
import Runs

/// The section with the results of `calculate-diversity` runs.
package enum DiversitySection {
    /// The section.
    package static var section: ReportSection {
        ReportSection(id: "diversity", title: "Diversity") { content in
            let runs = content.runs.filter { $0.stage == .diversity && $0.configuration.program != "rlhf-report prefer" }
            // most reports have no such runs, so their absence is not noted
            guard !runs.isEmpty else { return ReportSection.Body("") }
            var table = HTMLTable(
                """
                Diversity measured by calculate-diversity, with 95 % intervals: per input (over the responses to one prompt, averaged over \
                prompts) and across inputs (over one response to each prompt). The column outputs names what was measured: “first” is the \
                first set of outputs given to the program, “compared” the second one, and “ood” those out of distribution.
                """,
                [
                    ("run", false), ("outputs", false), ("metric", false), ("more diverse is", false), ("per input", true),
                    ("across inputs", true),
                ])
            table.isSortable = true
            var notes: [String] = []
            for run in runs {
                do {
                    let rows = try rows(of: run)
                    if rows.isEmpty { notes.append("\(run.name) has no final/diversity.csv") }
                    table.rows += rows
                } catch {
                    notes.append("\(run.name): cannot read its diversity: \(error)")
                }
            }
            var body = ReportSection.Body(table.rows.isEmpty ? "" : table.markup)
            body.notes = notes
            return body
        }
    }

    /// The rows of `final/diversity.csv`, and of the files next to it for out-of-distribution outputs or other systems.
    private static func rows(of run: ReportedRun) throws -> [[HTMLTable.Cell]] {
        let folder = run.folder.appendingPathComponent("final", isDirectory: true)
        let names = try (Folder.namesIfPresent(in: folder.path) ?? []).filter { $0.hasPrefix("diversity") && $0.hasSuffix(".csv") }
        return try names.flatMap { name -> [[HTMLTable.Cell]] in
            let url = folder.appendingPathComponent(name)
            let lines = String(decoding: try Descriptor.content(of: url.path, limit: 64 << 20), as: UTF8.self).split(separator: "\n")
            let columns = fields(lines.first ?? "")
            let part = name.dropFirst("diversity".count).dropLast(".csv".count).replacing("_", with: " ").drop { $0 == " " }
            return try lines.dropFirst().enumerated().map { index, line in
                let fields = fields(line)
                guard fields.count == columns.count, let metric = fields.first, columns.first == "metric" else {
                    throw FileError.damaged(
                        path: url.path, problem: "line \(index + 2) does not have the \(columns.count) columns of the header")
                }
                let values = Dictionary(zip(columns, fields)) { first, _ in first }
                func interval(_ name: String) -> Interval? {
                    func number(_ end: String) -> Double? { values["\(name)_\(end)"].flatMap { Double($0) } }
                    return number("mean").map { Interval(mean: $0, low: number("low") ?? $0, high: number("high") ?? $0) }
                }
                return [
                    .text(run.name), .text(part.isEmpty ? "first" : String(part)), .text(metric), .text(values["more_diverse_is"] ?? ""),
                    .interval(interval("per_input")), .interval(interval("across_input")),
                ]
            }
        }
    }

    /// The fields of a CSV line. Names of metrics contain neither commas nor quotes.
    private static func fields(_ line: Substring) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}
