extension DiversityResults {
    /// One output file: a value to encode as JSON, and the same data as comma-separated values.
    public struct File: Sendable {
        /// The file name without extension.
        public var name: String
        /// The value that is encoded as JSON.
        public var value: any Encodable & Sendable
        /// Comma-separated values: a line of column names, then one line per row, for example per metric.
        public var csv: String
    }

    /// All tables: `diversity` for every part, `best_of_n` if requested, the differences and gaps, `quality_loss`,
    /// `inter_model` and `texts`.
    public var files: [File] {
        parts.map { File(name: "diversity" + $0.suffix, value: $0.report, csv: DiversityTable.csv($0.report)) }
            + parts.compactMap { part in
                part.curve.map { File(name: "best_of_n" + part.suffix, value: $0, csv: DiversityTable.csv($0)) }
            }
            + comparisons.map { File(name: $0.name, value: $0.comparison, csv: DiversityTable.csv($0.comparison)) }
            + losses.map { File(name: $0.name, value: $0.loss, csv: $0.loss.csv) }
            + (similarity.map { [File(name: "inter_model", value: $0, csv: $0.csv)] } ?? [])
            + texts.map { File(name: $0.name, value: $0.report, csv: $0.report.csv) }
    }

    /// Values by name: those of the first part as in ``DiversityReport/flatValues``, its text metrics, and every difference,
    /// gap, quality loss and similarity between systems.
    public var flatValues: [String: Double] {
        var flat = parts.first?.report.flatValues ?? [:]
        for comparison in comparisons {
            for entry in comparison.comparison.metrics {
                flat["\(comparison.name)_per_input_" + entry.name] = entry.perInput?.mean
                flat["\(comparison.name)_across_input_" + entry.name] = entry.acrossInputs?.mean
                flat["\(comparison.name)_overall_" + entry.name] = entry.overall
            }
        }
        for loss in losses {
            for entry in loss.loss.metrics {
                flat["\(loss.name)_" + entry.name] = entry.loss.mean
                flat["\(loss.name)_by_quality_control_" + entry.name] = entry.qualityControl.mean
                flat["\(loss.name)_rest_" + entry.name] = entry.rest.mean
            }
        }
        for entry in similarity?.inDistribution ?? [] where entry.systems.isEmpty { flat[entry.name] = entry.mean.mean }
        for entry in similarity?.outOfDistribution ?? [] where entry.systems.isEmpty { flat["ood_" + entry.name] = entry.mean.mean }
        if let group = texts.first?.report.groups.first {
            for (name, summary) in group.metrics {
                flat["average_" + name] = summary.mean.mean
                flat["median_" + name] = summary.median
            }
            if (1..<max(1, group.inputs)).contains(group.withoutReference) {
                flat["without_reference"] = Double(group.withoutReference)
            }
            if (1..<max(1, group.texts)).contains(group.withoutReward) {
                flat["without_reward"] = Double(group.withoutReward)
            }
        }
        for (comparison, texts) in zip(comparisons, texts) {
            for (name, interval) in texts.report.gap ?? texts.report.pairedDifference ?? [:] {
                flat["\(comparison.name)_" + name] = interval.mean
            }
        }
        return flat
    }

    /// All tables with aligned columns, as readable text.
    public var text: String {
        var blocks = parts.map { (parts.count > 1 ? $0.name + "\n" : "") + DiversityTable.text($0.report) }
        for comparison in comparisons {
            let title = comparison.isGap ? "generalisation gap" : "difference on the same inputs"
            blocks.append(
                "\(title): \(parts[comparison.first].name) minus \(parts[comparison.second].name)\n"
                    + DiversityTable.text(comparison.comparison))
        }
        blocks += losses.map(\.loss.text) + absences
        if let similarity { blocks.append("answers of different systems, mean cosine\n" + similarity.text) }
        for part in parts { part.curve.map { blocks.append("best of n, \(part.name)\n" + DiversityTable.text($0)) } }
        for texts in texts { blocks.append("texts\n" + texts.report.text) }
        return blocks.joined(separator: "\n\n")
    }
}
