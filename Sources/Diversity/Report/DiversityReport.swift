import Formats

/// The result of a diversity measurement for one part, as stored in `diversity.json`.
public struct DiversityReport: Codable, Sendable, Equatable {
    /// The configuration of the measurement.
    public var config: DiversityConfig
    /// The number of inputs with outputs.
    public var inputs: Int
    /// The number of outputs.
    public var outputs: Int
    /// A fingerprint of the inputs in order; reports with equal fingerprints are about the same inputs.
    public var inputFingerprint: String
    /// The length in words to which length-controlled metrics cut texts.
    public var commonLength: Int
    /// Metrics that `all` left out because a model or other data that they need is not available.
    public var withoutModel: [String]
    /// What each of these metrics needs; nil in reports from earlier versions.
    public var needs: [String: String]?
    /// The metrics in the order in which they were chosen.
    public var metrics: [Entry]

    /// The result of one metric.
    public struct Entry: Codable, Sendable, Equatable {
        /// The exact name of the metric.
        public var name: String
        /// Whether a larger value means more diverse texts.
        public var higherIsMoreDiverse: Bool
        /// The number of texts that the metric excluded from every set.
        public var excludedTexts: Int
        /// What a reader needs to know to interpret the values, such as a threshold or what counts as equal; nil for nothing.
        public var note: String?
        /// The values of the metric.
        public var values: DiversityAggregate
    }

    /// What was missing, each with the metrics that need it, in the order of the metrics.
    var unmeasured: [(what: String, names: [String])] {
        grouped(withoutModel.map { (needs?[$0] ?? "a model", $0) })
    }

    /// The notes, each with the metrics that it applies to.
    var notes: [(what: String, names: [String])] {
        grouped(metrics.compactMap { entry in entry.note.map { ($0, entry.name) } })
    }

    /// The metrics for which no input has a value, grouped by the number of inputs.
    var withoutPerInput: [(what: String, names: [String])] {
        grouped(metrics.compactMap { entry in entry.values.withoutPerInput.map { ("\($0) of \(Counted($0, "input"))", entry.name) } })
    }

    private func grouped(_ pairs: [(String, String)]) -> [(what: String, names: [String])] {
        var result: [(what: String, names: [String])] = []
        for (what, name) in pairs {
            if let place = result.firstIndex(where: { $0.what == what }) {
                result[place].names.append(name)
            } else {
                result.append((what, [name]))
            }
        }
        return result
    }

    /// The entry of a metric by name; nil if the report does not contain it.
    public subscript(name: String) -> Entry? {
        metrics.first { $0.name == name }
    }

    /// The values by flat names: the metric's name after one of the prefixes `mean_per_input_`, `std_per_input_`,
    /// `mean_per_input_exact_`, `mean_across_input_`, `std_across_input_`, `overall_` and `overall_single_output_`.
    public var flatValues: [String: Double] {
        var flat: [String: Double] = [:]
        for entry in metrics {
            flat["mean_per_input_" + entry.name] = entry.values.perInput?.mean.mean
            flat["std_per_input_" + entry.name] = entry.values.perInput?.standardDeviation
            flat["mean_per_input_exact_" + entry.name] = entry.values.perInputExact?.mean.mean
            flat["mean_across_input_" + entry.name] = entry.values.acrossInputs?.mean
            flat["std_across_input_" + entry.name] = entry.values.acrossInputs?.standardDeviation
            flat["overall_" + entry.name] = entry.values.overall
            flat["overall_single_output_" + entry.name] = entry.values.overallSingleOutput
        }
        return flat
    }
}
