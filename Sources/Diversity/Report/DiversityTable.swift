import Eval
import Formats

/// Formats reports as comma-separated values and as text with aligned columns.
public enum DiversityTable {
    /// The columns of ``csv(_:)-(DiversityReport)``.
    public static let columns = [
        "metric", "more_diverse_is", "per_input_mean", "per_input_low", "per_input_high", "per_input_std",
        "per_input_excluded", "across_input_mean", "across_input_low", "across_input_high", "across_input_std",
        "across_input_draws", "overall", "overall_single_output", "excluded_texts", "per_input_exact_mean",
        "per_input_exact_low",
        "per_input_exact_high",
    ]

    /// A report: a line of column names, then one line per metric; numbers with full precision, empty where there is no value.
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
            let exact = entry.values.perInputExact?.mean
            var fields = [CSVField.text(entry.name), entry.higherIsMoreDiverse ? "higher" : "lower"] + numbers.map(digits)
            fields.append((inputs?.excluded ?? entry.values.withoutPerInput).map { "\($0)" } ?? "")
            fields += numbersAcross.map(digits)
            fields.append(across.map { "\($0.draws)" } ?? "")
            fields += [
                digits(entry.values.overall), digits(entry.values.overallSingleOutput), "\(entry.excludedTexts)",
            ]
            fields += [digits(exact?.mean), digits(exact?.low), digits(exact?.high)]
            return fields.joined(separator: ",")
        }
        return ([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    }

    /// A report with aligned columns: metric, direction, values per input and across inputs with their 95 % intervals, overall
    /// value; followed by notes.
    public static func text(_ report: DiversityReport) -> String {
        let hasExact = report.metrics.contains { $0.values.perInputExact != nil }
        var header = ["metric", "more diverse", "per input [95 %]"]
        if hasExact { header.append("per input, exact [95 %]") }
        header += ["across inputs [95 %]", "overall"]
        let rows = report.metrics.map { entry in
            let values = entry.values
            var row = [
                entry.name, entry.higherIsMoreDiverse ? "higher" : "lower", values.perInput.map { "\($0.mean)" } ?? "–",
            ]
            if hasExact { row.append(values.perInputExact.map { "\($0.mean)" } ?? "–") }
            row.append(values.acrossInputs.map { $0.interval.map { "\($0)" } ?? short($0.mean) } ?? "–")
            row.append(values.overall.map(short) ?? "–")
            return row
        }
        var lines = [aligned([header] + rows)]
        lines.append("\(Counted(report.inputs, "input")), \(Counted(report.outputs, "output")), seed \(report.config.seed)")
        for (what, names) in report.unmeasured {
            lines.append("not measured, because \(what) is missing: \(names.joined(separator: ", "))")
        }
        for (note, names) in report.notes { lines.append("\(names.joined(separator: ", ")): \(note)") }
        for entry in report.metrics where entry.excludedTexts > 0 {
            lines.append("\(entry.name): \(entry.excludedTexts) of \(Counted(report.outputs, "text")) left out")
        }
        for entry in report.metrics where entry.note != nil {
            if let inputs = entry.values.perInput, inputs.excluded > 0 {
                lines.append("\(entry.name): \(inputs.excluded) of \(Counted(inputs.values.count, "input")) left out of the mean per input")
            }
        }
        for (what, names) in report.withoutPerInput {
            lines.append("\(names.joined(separator: ", ")): \(what) left out of the mean per input")
        }
        return lines.joined(separator: "\n")
    }

    /// A comparison of two reports: a line of column names, then one line per metric.
    public static func csv(_ comparison: DiversityComparison) -> String {
        let columns = [
            "metric", "more_diverse_is", "per_input", "per_input_low", "per_input_high", "across_input",
            "across_input_low",
            "across_input_high", "overall",
        ]
        let lines = comparison.metrics.map { entry in
            let (own, across) = (entry.perInput, entry.acrossInputs)
            let numbers: [Double?] = [
                own?.mean, own?.low, own?.high, across?.mean, across?.low, across?.high, entry.overall,
            ]
            let fields = [CSVField.text(entry.name), entry.higherIsMoreDiverse ? "higher" : "lower"] + numbers.map(digits)
            return fields.joined(separator: ",")
        }
        return ([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    }

    /// A comparison of two reports with aligned columns; `*` marks intervals that do not contain 0.
    public static func text(_ comparison: DiversityComparison) -> String {
        func cell(_ interval: Interval?) -> String {
            interval.map { "\($0)" + ($0.contains(0) ? "" : " *") } ?? "–"
        }
        let header = ["metric", "more diverse", "per input [95 %]", "across inputs [95 %]", "overall"]
        return aligned(
            [header]
                + comparison.metrics.map { entry in
                    [
                        entry.name, entry.higherIsMoreDiverse ? "higher" : "lower", cell(entry.perInput),
                        cell(entry.acrossInputs),
                        entry.overall.map(short) ?? "–",
                    ]
                })
    }

    /// A best-of-n curve: a line of column names, then one line per n.
    public static func csv(_ curve: BestOfNCurve) -> String {
        let columns = ["n", "kl", "reward", "reward_low", "reward_high", "words", "words_low", "words_high"]
        let lines = curve.points.map { point in
            let numbers: [Double] = [
                point.divergence, point.reward.mean, point.reward.low, point.reward.high, point.words.mean,
                point.words.low,
                point.words.high,
            ]
            return (["\(point.n)"] + numbers.map { digits($0) }).joined(separator: ",")
        }
        return ([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    }

    /// A best-of-n curve with aligned columns.
    public static func text(_ curve: BestOfNCurve) -> String {
        aligned(
            [["best of", "KL at most", "reward [95 %]", "words [95 %]"]]
                + curve.points.map { ["\($0.n)", short($0.divergence), "\($0.reward)", "\($0.words)"] })
    }

    static func aligned(_ rows: [[String]]) -> String {
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
