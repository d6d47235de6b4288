package import Foundation

/// Numbers of several runs over their steps, by run and by groups of runs that have an option in common.
package struct MetricHistory {
    /// One run.
    package struct Run {
        package var name: String
        /// What it has in common with others: its value of the option that groups are made by, else its name.
        package var group: String
        package var options: [String: OptionValue]
        /// By metric, in the order of the steps.
        package var points: [String: [(step: Int, value: Double)]]
    }

    package let metrics: [String]
    package let runs: [Run]

    /// Reads some runs.
    /// - Parameters:
    ///   - folders: each run's name and folder.
    ///   - metrics: names of `metrics.jsonl`.
    ///   - groupBy: an option; runs of the same value make a group.
    /// - Throws: `CommandLineError` for a metric that no run has; `FileError`; `RunFolderError`.
    package init(_ folders: [(name: String, folder: URL)], metrics: [String], groupBy: String?) throws {
        var known: Set<String> = []
        var runs: [Run] = []
        for (name, folder) in folders {
            let options = try RunFolder.configuration(at: folder, expecting: RunStage.allCases)?.options ?? [:]
            var points: [String: [(step: Int, value: Double)]] = [:]
            for measurement in try MetricsFile.read(inRun: folder) {
                known.formUnion(measurement.values.keys)
                for metric in metrics {
                    guard let value = measurement.values[metric] else { continue }
                    points[metric, default: []].append((measurement.step, value))
                }
            }
            let group = groupBy.map { options[$0.replacing("-", with: "_")]?.text ?? "none" } ?? name
            runs.append(Run(name: name, group: group, options: options, points: points))
        }
        for metric in metrics where !known.contains(metric) {
            let nearest = NearestName.find(metric, among: known.sorted())
            throw CommandLineError.invalid(
                "no run has the metric '\(metric)'"
                    + (nearest.map { "; did you mean \($0)?" } ?? "; they have \(known.sorted().joined(separator: ", "))"))
        }
        self.metrics = metrics
        self.runs = runs
    }

    /// The groups in the order of their first runs.
    package var groups: [String] {
        var seen: Set<String> = []
        return runs.map(\.group).filter { seen.insert($0).inserted }
    }

    /// The mean over a group's runs at every step that one of them was measured at.
    package func means(of metric: String, group: String) -> [(step: Int, value: Double)] {
        var values: [Int: [Double]] = [:]
        for run in runs where run.group == group {
            for point in run.points[metric] ?? [] { values[point.step, default: []].append(point.value) }
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.reduce(0, +) / Double($0.value.count)) }
    }

    /// `run,group,metric,step,value`, one line for each number.
    package var csv: String {
        var text = "run,group,metric,step,value\n"
        for run in runs {
            for metric in metrics {
                for point in run.points[metric] ?? [] {
                    text += "\(Self.field(run.name)),\(Self.field(run.group)),\(Self.field(metric)),\(point.step),\(point.value)\n"
                }
            }
        }
        return text
    }

    /// One line for each run: its options as far as runs differ in them, and its last value of each metric.
    package var table: String {
        let names = Set(runs.flatMap(\.options.keys)).sorted()
        let differing = names.filter { name in Set(runs.map { $0.options[name]?.text ?? "" }).count > 1 }
        var text = (["run"] + differing + metrics).map(Self.field).joined(separator: ",") + "\n"
        for run in runs {
            let options = differing.map { run.options[$0]?.text ?? "" }
            let last = metrics.map { run.points[$0]?.last.map { "\($0.value)" } ?? "" }
            text += ([run.name] + options + last).map(Self.field).joined(separator: ",") + "\n"
        }
        return text
    }

    /// A field of CSV.
    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
