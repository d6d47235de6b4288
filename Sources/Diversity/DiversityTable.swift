import Eval

/// A report as text: comma-separated values for programs, aligned columns for people.
public enum DiversityTable {
    /// The columns of ``csv(_:)``.
    public static let columns = [
        "metric", "more_diverse_is", "per_input_mean", "per_input_low", "per_input_high", "per_input_std",
        "per_input_excluded", "across_input_mean", "across_input_low", "across_input_high", "across_input_std",
        "across_input_draws", "overall", "overall_single_output", "excluded_texts",
    ]

    /// One line per metric after a line of column names, all digits of every number, empty where there is no value.
    public static func csv(_ report: DiversityReport) -> String {
        let lines = report.metrics.map { entry in
            let inputs = entry.values.perInput
            let across = entry.values.acrossInputs
            let numbers: [Double?] = [
                inputs?.mean.mean, inputs?.mean.low, inputs?.mean.high, inputs?.standardDeviation,
            ]
            let numbersAcross: [Double?] = [
                across?.mean, across?.interval?.low, across?.interval?.high, across?.standardDeviation,
            ]
            let fields =
                [entry.name, entry.higherIsMoreDiverse ? "higher" : "lower"] + numbers.map(digits)
                + [inputs.map { "\($0.excluded)" } ?? ""] + numbersAcross.map(digits)
                + [across.map { "\($0.draws)" } ?? "", digits(entry.values.overall)]
                + [digits(entry.values.overallSingleOutput), "\(entry.excludedTexts)"]
            return fields.joined(separator: ",")
        }
        return ([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    }

    /// Aligned columns: metric, direction, per input and across inputs with their intervals, overall.
    public static func text(_ report: DiversityReport) -> String {
        let header = ["metric", "more diverse", "per input [95 %]", "across inputs [95 %]", "overall"]
        let rows = report.metrics.map { entry in
            [
                entry.name, entry.higherIsMoreDiverse ? "higher" : "lower",
                entry.values.perInput.map { "\($0.mean)" } ?? "–",
                entry.values.acrossInputs.map { $0.interval.map { "\($0)" } ?? short($0.mean) } ?? "–",
                entry.values.overall.map(short) ?? "–",
            ]
        }
        var lines = [aligned([header] + rows)]
        lines.append("\(report.inputs) inputs, \(report.outputs) outputs, seed \(report.config.seed)")
        if !report.withoutModel.isEmpty {
            lines.append("not measured for want of a model: \(report.withoutModel.joined(separator: ", "))")
        }
        for entry in report.metrics where entry.excludedTexts > 0 {
            lines.append("\(entry.name): \(entry.excludedTexts) of \(report.outputs) texts left out")
        }
        return lines.joined(separator: "\n")
    }

    private static func aligned(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.dropLast().map {
                row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count)
            }
            return (cells + row.suffix(1)).joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private static func digits(_ value: Double?) -> String {
        value.map { "\($0)" } ?? ""
    }

    private static func short(_ value: Double) -> String {
        Statistics.text(value)
    }
}
