import Study
package import Runs
package import Foundation

/// Numbers of several runs over their steps, by run and by groups of runs that have an option in common.
package struct MetricHistory {
    /// One run.
    package struct Run {
        package var name: String
        /// Its values of the options that groups are made by; its name where there are none.
        package var keys: [String]
        /// What it has in common with the other runs of its group.
        package var group: String { keys.joined(separator: ", ") }
        package var options: [String: OptionValue]
        /// By metric, in the order of the steps.
        package var points: [String: [(step: Int, value: Double)]]
    }

    package let metrics: [String]
    package let runs: [Run]
    /// The options that groups are made by.
    package let groupBy: [String]

    /// Reads some runs.
    /// - Parameters:
    ///   - folders: each run's name and folder.
    ///   - metrics: names of `metrics.jsonl`.
    ///   - groupBy: options; runs of the same values make a group.
    /// - Throws: `InvalidSetting` for a metric that no run has; `FileError`; `RunFolderError`.
    package init(_ folders: [(name: String, folder: URL)], metrics: [String], groupBy: [String] = []) throws {
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
            let keys = groupBy.map { options[$0.replacing("-", with: "_")]?.text ?? "none" }
            runs.append(Run(name: name, keys: keys.isEmpty ? [name] : keys, options: options, points: points))
        }
        for metric in metrics where !known.contains(metric) {
            let nearest = NearestName.find(metric, among: known.sorted())
            throw InvalidSetting(
                "no run has the metric '\(metric)'"
                    + (nearest.map { "; did you mean \($0)?" } ?? "; they have \(known.sorted().joined(separator: ", "))"))
        }
        self.metrics = metrics
        self.runs = runs
        self.groupBy = groupBy
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

    /// For two options: a line for each metric and value of the first, a column for each value of the second; each cell is the mean over
    /// a group's runs of the last value, empty where there is no such run.
    package var groupTable: String {
        guard groupBy.count == 2 else { return "" }
        func values(_ place: Int) -> [String] {
            var seen: Set<String> = []
            return runs.map { $0.keys[place] }.filter { seen.insert($0).inserted }
        }
        let columns = values(1)
        var text = (["metric", groupBy[0]] + columns.map { "\(groupBy[1])=\($0)" }).map(Self.field).joined(separator: ",") + "\n"
        for metric in metrics {
            for row in values(0) {
                let cells = columns.map { column in
                    let last = runs.filter { $0.keys == [row, column] }.compactMap { $0.points[metric]?.last?.value }
                    return last.isEmpty ? "" : "\(last.reduce(0, +) / Double(last.count))"
                }
                text += ([metric, row] + cells).map(Self.field).joined(separator: ",") + "\n"
            }
        }
        return text
    }

    /// A field of CSV.
    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
