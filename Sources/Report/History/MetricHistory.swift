import Study
package import Runs
package import Foundation

/// Metrics of several runs over training steps, by run and by group of runs with equal option values.
package struct MetricHistory {
    /// One run.
    package struct Run {
        /// The run's ID or path.
        package var name: String
        /// Its values of the options in `groupBy`; its name if there are none.
        package var keys: [String]
        /// The name of its group: the keys, separated by commas.
        package var group: String { keys.joined(separator: ", ") }
        /// All options of the run.
        package var options: [String: OptionValue]
        /// The points of each metric, in the order of steps.
        package var points: [String: [(step: Int, value: Double)]]
    }

    /// The names of the metrics.
    package let metrics: [String]
    /// The runs, in the order given.
    package let runs: [Run]
    /// The options that runs are grouped by.
    package let groupBy: [String]

    /// Reads the metrics of some runs.
    /// - Parameters:
    ///   - folders: each run's name and folder.
    ///   - metrics: names of metrics in `metrics.jsonl`.
    ///   - groupBy: options; runs with equal values form a group.
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
                    + (nearest.map { "; did you mean \($0)?" } ?? "; the runs have \(known.sorted().joined(separator: ", "))"))
        }
        self.metrics = metrics
        self.runs = runs
        self.groupBy = groupBy
    }

    /// The names of the groups, in the order of their first runs.
    package var groups: [String] {
        var seen: Set<String> = []
        return runs.map(\.group).filter { seen.insert($0).inserted }
    }

    /// The mean over a group's runs at every step at which at least one of them was measured. Runs without a value at a step
    /// are left out of its mean.
    package func means(of metric: String, group: String) -> [(step: Int, value: Double)] {
        var values: [Int: [Double]] = [:]
        for run in runs where run.group == group {
            for point in run.points[metric] ?? [] { values[point.step, default: []].append(point.value) }
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.reduce(0, +) / Double($0.value.count)) }
    }

    /// CSV text with the header `run,group,metric,step,value` and one line per value.
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

    /// CSV text with one line per run: the options in which the runs differ, and the last value of each metric.
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

    /// CSV text for exactly two options: one line per metric and value of the first option, one column per value of the second.
    /// Each cell is the mean of the runs' last values, or empty if there is no such run. An empty string for any other number
    /// of options.
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

    /// Text as a CSV field, quoted if necessary.
    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
